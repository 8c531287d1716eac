"""What a pull request changes, as values: full commit ids, files, commits."""

from __future__ import annotations

from dataclasses import dataclass

SYMLINK, SUBMODULE, FOLDER = "120000", "160000", "040000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name in a tree. `mode` is git's six octal digits, `blob` the full object id.

    `path` is the whole path from the root. Names that are not printable UTF-8 are escaped
    the way git does (`a\\377`, no quotes), so two different names never look the same.
    """

    path: str
    mode: str
    blob: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file (not a symlink, submodule or folder)."""
        return self.mode.startswith("100")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed path: `before` is None where it was added, `after` where it was deleted."""

    path: str
    before: TreeEntry | None
    after: TreeEntry | None

    @property
    def added(self) -> bool:
        """Whether the path is new."""
        return self.before is None

    @property
    def deleted(self) -> bool:
        """Whether the path is gone."""
        return self.after is None

    @property
    def file(self) -> TreeEntry | None:
        """The regular file at the head, or None (deleted, symlink, submodule)."""
        return self.after if self.after is not None and self.after.is_file else None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the change, oldest first in `World.commits`.

    `message` is decoded with replacement; `signature` is the raw `gpgsig` header or "".
    A commit object above the bound has `oversize` set and an empty message.
    """

    id: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    committer_name: str
    committer_email: str
    message: str
    signature: str = ""
    oversize: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A change under review. `base` and `head` are full ids; files differ from `merge_base`.

    `head` is a tree id where staged content is judged, and `base` is the empty tree where
    there is nothing before. The policy is read at `base`.
    """

    repository: str
    base: str
    head: str
    merge_base: str
    files: tuple[FileChange, ...]
    number: int = 0
    author: str = ""

    def touching(self, *names: str) -> tuple[FileChange, ...]:
        """Return the changed files whose last path part is one of `names`."""
        return tuple(f for f in self.files if f.path.rsplit("/", 1)[-1] in names)
