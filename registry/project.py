"""A DVC project: where its objects are at hand, and how the BASE commit fetches the others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from registry import dvc, objects
from registry.errors import MissingWeights
from registry.outputs import Trees, ancestors
from registry.pointers import Pointer, PointerKind

CONFIG_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Project:
    """What is needed to find an object. The first of `caches` is ours to fetch into."""

    caches: tuple[Path, ...]
    config: bytes | None = None
    local_config: Path | None = None
    folder: Path | None = None

    def find(self, pointer: Pointer) -> Path | None:
        """Return where the pointer's object is at hand, or None."""
        listing = pointer.kind is PointerKind.DVC_FOLDER
        for cache in self.caches:
            path = objects.dvc_object(cache, pointer.digest, folder=listing, legacy=pointer.legacy)
            if objects.is_at_hand(path):
                return path
        return None

    def fetch(self, pointers: tuple[Pointer, ...]) -> None:
        """Fetch what is not at hand. Raises MissingWeights, CorruptWeights."""
        missing = tuple(p for p in pointers if self.find(p) is None)
        if missing and self.config is None:
            raise MissingWeights(
                f"{missing[0].path}: DVC object {missing[0].digest} is not in the local cache,"
                " and the base commit has no .dvc/config to fetch it with",
                "run 'dvc pull' here first; the change's own .dvc/config is never used",
            )
        if missing and self.config is not None:
            place = self.local_config, self.folder, self.caches[0]
            dvc.fetch(missing, self.config, *place, members=False)  # whoever needs them asks


def project_of(
    trees: Trees, source: str, scratch: Path, *, base_commit: str, head_commit: str
) -> Project:
    """Return the DVC project that the tracking file `source` belongs to, as the base knows it."""
    roots = ancestors(source.rpartition("/")[0])
    for root in roots:
        folder = root + "/" if root else ""
        entry = trees.entry(base_commit, folder + ".dvc/config")
        if entry is not None and entry.is_file:
            break
    else:
        return Project((scratch, *local_caches(trees.worktree, source)))
    config = trees.read(entry.blob, CONFIG_LIMIT)
    place = trees.worktree / root if trees.worktree is not None else None
    local = folder + ".dvc/config.local"
    # A file that a commit tracks may be the change's, not the operator's.
    tracked = any(trees.entry(commit, local) for commit in (base_commit, head_commit))
    local_config = place / ".dvc" / "config.local" if place is not None and not tracked else None
    caches = (scratch, *local_caches(trees.worktree, source))
    if shared := dvc.configuration(config, local_config, place).cache:
        caches = (*caches, Path(shared).expanduser())
    return Project(caches, config, local_config, place)


def local_caches(worktree: Path | None, source: str) -> tuple[Path, ...]:
    """Return the default cache folders that objects of `source` may be in."""
    if worktree is None:
        return ()
    return tuple(
        worktree / root / ".dvc" / "cache" for root in ancestors(source.rpartition("/")[0])
    )
