"""What commits, the index and working folders say that DVC keeps; each tree and file read once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from bot import git
from bot.errors import Missing, TooLarge
from bot.gitformat import parse_tree
from registry.outputs import is_source
from registry.pointers import DVC_LIMIT, read_wdirs, resolve
from registry.release import marking
from registry.release.marking import Root, Tracking
from security.errors import SecurityError
from security.sign import reading

TREE_LIMIT, COMMIT_LIMIT = 50_000_000, 10_000_000  # bytes of one object
DEPTH = 200  # folders within folders
_FOLDER = "040000"
_PARTIAL = "run: git fetch --refetch --no-filter, then git fsck; nothing was deleted"
_FIX = "make it readable, or remove it; nothing was deleted"

Sources = tuple[tuple[str, str], ...]  # (path below the folder, blob)


class Tracked:
    """One repository; use it `with`. Every method raises Missing, TooLarge or PointerError."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._sizes, self._contents = git.Batch(place, "--batch-check"), git.Batch(place, "--batch")
        self._trees: dict[str, Sources] = {}
        self._read: dict[tuple[str, str], Tracking] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._sizes.close()
        self._contents.close()

    def has(self, name: str) -> bool:
        """Whether an object is in this clone."""
        return self._sizes.ask(name, content=False) is not None

    def at(self, kind: str, name: str, object_: str) -> Root:
        """Return what a commit, or the tree that a tag may name instead, needs."""
        about = f"{kind} {name}"
        tree = self._tree_of(object_, about)
        needs, ids = set[str](), set[str]()
        for path, blob in self._sources(tree, 0, about) if tree else ():
            found = self._tracking(blob, path, about)
            ids.update(found.ids)
            needs.update(self._needed(found, path, tree))
        return Root(kind, name, tuple(sorted(needs)), tuple(sorted(ids)))

    def folders(self, commit: str) -> tuple[str, ...]:
        """Return the tracking files of a commit."""
        about = f"commit {commit[:12]}"
        tree = self._tree_of(commit, about)
        return tuple(path for path, _ in self._sources(tree, 0, about)) if tree else ()

    def index(self, folder: Path) -> Root:
        """Return what the index of a working folder needs."""
        about = f"the index of {folder}"
        status, output, error = git.run(folder, "ls-files", "-z", "--stage", limit=TREE_LIMIT)
        if status:
            raise Missing(f"{about} cannot be read: {error}", _FIX)
        ids = set[str]()
        for record in output.split(b"\0"):
            about_, _, raw = record.partition(b"\t")
            path = raw.decode("utf-8", "replace")
            if record and is_source(path):
                ids.update(self._tracking(about_.split()[1].decode(), path, about).ids)
        return Root("index", str(folder), (), tuple(sorted(ids)))

    def files(self, folder: Path) -> Root:
        """Return what the files of a working folder need that git does not ignore."""
        words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        status, output, error = git.run(folder, *words, limit=TREE_LIMIT)
        if status:
            raise Missing(f"the files of {folder} cannot be listed: {error}", _FIX)
        ids = set[str]()
        for raw in set(output.split(b"\0")):
            name = raw.decode("utf-8", "surrogateescape")
            if not raw or not is_source(name) or not (folder / name).exists():
                continue
            try:
                data = reading.read(folder / name, DVC_LIMIT)
            except SecurityError as error_:
                raise Missing(error_.message, _FIX) from error_
            ids.update(marking.read(data, name.encode("utf-8", "replace").decode()).ids)
        return Root("folder", str(folder), (), tuple(sorted(ids)))

    def _tree_of(self, object_: str, about: str) -> str:
        """Return the id of the tree behind an object, "" of what has none."""
        found = self._sizes.ask(f"{object_}^{{}}", content=False)
        if found is None:
            raise Missing(f"{about}: object {object_[:12]} is not in this clone", _PARTIAL)
        if found[0] == "blob":
            return ""
        if found[0] == "tree":
            status, output, error = git.run(self._place, "rev-parse", f"{object_}^{{tree}}")
            if status:
                raise Missing(f"{about}: {error}", _PARTIAL)
            return output.decode("ascii", "replace").strip()
        data = self._content(f"{object_}^{{commit}}", COMMIT_LIMIT, about)
        return data.partition(b"\n")[0].removeprefix(b"tree ").decode("ascii", "replace")

    def _sources(self, tree: str, depth: int, about: str) -> Sources:
        if tree in self._trees:
            return self._trees[tree]
        if depth > DEPTH:
            raise TooLarge(f"{about}: more than {DEPTH} folders within each other", _FIX)
        found: list[tuple[str, str]] = []
        data = self._content(tree, TREE_LIMIT, about)
        for entry in parse_tree(data, "", len(tree) // 2):
            if entry.is_file and is_source(entry.path):
                found.append((entry.path, entry.blob))
            elif entry.mode == _FOLDER:
                inside = self._sources(entry.blob, depth + 1, about)
                found += [(f"{entry.path}/{path}", blob) for path, blob in inside]
        self._trees[tree] = tuple(found)
        return self._trees[tree]

    def _tracking(self, blob: str, path: str, about: str) -> Tracking:
        key = (blob, path.rpartition("/")[2])
        if key not in self._read:
            data = self._content(blob, DVC_LIMIT, f"{about}: {path}")
            self._read[key] = marking.read(data, f"{about}: {path}")
        return self._read[key]

    def _needed(self, found: Tracking, source: str, tree: str) -> Iterator[str]:
        """Yield the outputs that DVC keeps: a folder that git has itself is not among them."""
        base = source.rpartition("/")[0]
        wdirs = self._wdirs(source, tree) if any(o.stage for o in found.outputs) else {}
        for one in found.outputs:
            wdir = wdirs.get(one.stage.partition("@")[0], ".")
            path = resolve(base, wdir, one.path) if one.id.endswith(".dir") else None
            if not path or not self.has(f"{tree}:{path}"):
                yield one.id

    def _wdirs(self, source: str, tree: str) -> dict[str, str]:
        path = source.removesuffix("lock") + "yaml"
        name = f"{tree}:{path}"
        if not self.has(name):
            return {}
        return read_wdirs(self._content(name, DVC_LIMIT, path), path)

    def _content(self, name: str, limit: int, about: str) -> bytes:
        found = self._sizes.ask(name, content=False)
        if found is None:
            raise Missing(f"{about}: object {name[:12]} is not in this clone", _PARTIAL)
        if found[1] > limit:
            raise TooLarge(f"{about}: {found[1]:,} bytes, more than {limit:,}", _FIX)
        whole = self._contents.ask(name, content=True)
        if whole is None:
            raise Missing(f"{about}: object {name[:12]} cannot be read", _PARTIAL)
        return whole[2]
