"""A repository made of literals: the World that tests of checks feed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from bot.cache import Cache
from bot.change import SUBMODULE, SYMLINK, Change, Commit, FileChange, TreeEntry
from bot.errors import Missing, TooLarge
from bot.people import People
from bot.roster import Author, Roster
from bot.world import TEXT_LIMIT
from registry.release.ledger import Issued, Ledger

T = TypeVar("T")
Tree = Mapping[str, "bytes | str"]
BASE, HEAD = "b" * 40, "a" * 40


def blob_id(data: bytes) -> str:
    """The id git gives these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def commit(
    message: str,
    *,
    name: str = "Ada",
    email: str = "ada@example.org",
    number: int = 0,
    parents: tuple[str, ...] = ("0" * 40,),
    signature: str = "",
    oversize: int = 0,
) -> Commit:
    """A commit by one person."""
    return Commit(f"{number:040x}", parents, name, email, name, email, message, signature, oversize)


class FakeWorld:
    """Answers like GitWorld, from two trees of literals. `modes` overrides a path's mode.

    `releases` are trees by tag, the oldest first.
    """

    def __init__(
        self,
        base: Tree,
        head: Tree,
        *,
        commits: tuple[Commit, ...] = (),
        modes: Mapping[str, str] | None = None,
        root: Path = Path("/nonexistent"),
        missing: tuple[str, ...] = (),
        signers: Mapping[str, str] | None = None,
        releases: Mapping[str, Tree] | None = None,
        people: People | None = None,
        history: tuple[Author, ...] = (),
    ) -> None:
        self.people = people
        self.history = history
        self.blobs: dict[str, bytes] = {}
        self.modes = dict(modes or {})
        self.trees = {BASE: self._tree(base), HEAD: self._tree(head)}
        self._commits = commits
        self._releases = tuple((tag, blob_id(tag.encode())) for tag in releases or {})
        for (_, id_), files in zip(self._releases, (releases or {}).values(), strict=True):
            self.trees[id_] = self._tree(files)
        self._signers = dict(signers or {})
        self.root = root
        for path in missing:
            self.blobs.pop(self.trees[HEAD][path].blob, None)
        self.made: list[tuple[str, str]] = []
        self.said: list[str] = []

    def _tree(self, files: Tree) -> dict[str, TreeEntry]:
        found = {}
        for path, content in sorted(files.items()):
            data = _bytes(content)
            blob = blob_id(data)
            self.blobs[blob] = data
            found[path] = TreeEntry(path, self.modes.get(path, "100644"), blob)
        return found

    def change(self) -> Change:
        """The change from the base tree to the head tree."""
        before, after = self.trees[BASE], self.trees[HEAD]
        files = tuple(
            FileChange(path, before.get(path), after.get(path))
            for path in sorted(before.keys() | after.keys())
            if before.get(path) != after.get(path)
        )
        return Change("example/tiny", BASE, HEAD, BASE, files)

    @property
    def git_dir(self) -> Path:
        return self.root / ".git"

    @property
    def worktree(self) -> Path | None:
        return self.root

    @property
    def store(self) -> Cache:
        return Cache(None)

    def need(self, blobs: tuple[str, ...]) -> None:
        pass

    def size(self, blob: str) -> int:
        return len(self._get(blob))

    def _get(self, blob: str) -> bytes:
        if blob not in self.blobs:
            raise Missing(f"object {blob} is not in the repository", "fetch it")
        return self.blobs[blob]

    def read(self, blob: str, limit: int = TEXT_LIMIT) -> bytes:
        data = self._get(blob)
        if len(data) > limit:
            raise TooLarge(f"{len(data):,} bytes, more than {limit:,}", "make it smaller")
        return data

    def prefix(self, blob: str, count: int) -> bytes:
        return self._get(blob)[:count]

    def export(self, blob: str, target: Path, limit: int) -> None:
        target.write_bytes(self.read(blob, limit))

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        found = self.trees.get(commit, {}).get(path)
        if found is None and self.walk(commit, path):
            return TreeEntry(path, "040000", "f" * 40)
        return found

    def folder(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        prefix = path.rstrip("/") + "/" if path else ""
        names = {
            p[len(prefix) :].split("/")[0]
            for p in self.trees.get(commit, {})
            if p.startswith(prefix)
        }
        entries = (self.entry(commit, prefix + name) for name in sorted(names))
        return tuple(e for e in entries if e is not None)

    def walk(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        prefix = path.rstrip("/") + "/" if path else ""
        return tuple(e for p, e in self.trees.get(commit, {}).items() if p.startswith(prefix))

    def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        return self._commits

    def authors(self, commit: str) -> Roster:
        return Roster(self.history, len(self.history))

    def releases(self, commit: str, limit: int) -> tuple[tuple[str, str], ...]:
        return self._releases[-limit:] if limit > 0 else ()

    def ledger(self, branch: str, remote: str) -> str:
        return ""

    def baseline(self, ledger: Ledger, artifact: str, commit: str) -> Issued | None:
        return None

    def ancestors(self, commits: tuple[str, ...], commit: str) -> frozenset[str]:
        return frozenset(commits)

    def signer(self, commit: str, allowed_signers: bytes) -> str:
        return self._signers.get(commit, "")

    def say(self, line: str) -> None:
        self.said.append(line)

    def facts(self, maker: str, blob: str, kind: type[T], make: Callable[[], T]) -> T:
        self.made.append((maker, blob))
        return make()


def submodule(path: str) -> dict[str, str]:
    """Modes for a submodule at `path`."""
    return {path: SUBMODULE}


def symlink(path: str) -> dict[str, str]:
    """Modes for a symlink at `path`."""
    return {path: SYMLINK}
