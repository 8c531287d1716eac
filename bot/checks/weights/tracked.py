"""What pointers of a change named and name: DVC outputs and LFS files, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.change import Change, FileChange, TreeEntry
from bot.checks.weights.files import is_source_text
from bot.checks.weights.pointers import is_in_git
from bot.errors import Missing, TooLarge
from bot.world import World
from registry.errors import RegistryError
from registry.imports import Origin, read_origin
from registry.outputs import is_source, read_source
from registry.pointers import DVC_LIMIT, LFS_LIMIT, Pointer, read_lfs
from security.sniff import is_lfs


@dataclass(frozen=True, slots=True)
class Side:
    """A pointer on one side of the change."""

    pointer: Pointer
    source: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One tracked path before and after; None where it is not tracked."""

    path: str
    before: Side | None
    after: Side | None

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that there are."""
        return tuple(side for side in (self.before, self.after) if side is not None)


def pairs(change: Change, world: World) -> tuple[Pair, ...]:
    """Return every tracked path whose content is not, or may not be, the same as before."""
    before, after = (dict(_named(change, world, head)) for head in (False, True))
    found = (Pair(path, before.get(path), after.get(path)) for path in sorted({*before, *after}))
    return tuple(pair for pair in found if not _same(pair))


def _named(change: Change, world: World, head: bool) -> Iterator[tuple[str, Side]]:
    """Yield what pointers name on one side; a malformed one names nothing, and is a finding."""
    commit = change.head if head else change.merge_base
    for file in change.files:
        entry = file.file if head else file.before
        if entry is None or not entry.is_file:
            continue
        try:
            for side in _of_file(file, entry, world, commit):
                if not is_in_git(side.pointer, world, commit):
                    yield side.pointer.path, side
        except (RegistryError, TooLarge, Missing):
            continue


def _of_file(file: FileChange, entry: TreeEntry, world: World, commit: str) -> Iterator[Side]:
    if not is_source(file.path):
        if not is_source_text(file.path) and world.size(entry.blob) <= LFS_LIMIT:
            data = world.read(entry.blob, LFS_LIMIT)
            if is_lfs(data):
                yield Side(read_lfs(data, file.path), file.path)
        return
    origin = None
    if not file.path.endswith("dvc.lock"):
        origin = read_origin(world.read(entry.blob, DVC_LIMIT), file.path)
    for output in read_source(world, commit, entry):
        yield Side(output.pointer, output.source, origin)


def _same(pair: Pair) -> bool:
    if pair.before is None or pair.after is None:
        return False
    old, new = pair.before.pointer, pair.after.pointer
    return bool(new.digest) and (old.kind, old.digest) == (new.kind, new.digest)
