"""Which files a folder holds, found through descriptors, so that no link leads elsewhere."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from security.errors import TooLarge, Unreadable
from security.paths import WHOLE, canonical, shown

MAX_FILES = 1_000_000  # files and folders of one model
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
    stat.S_IFDIR: "a folder",
}


class Stamp(NamedTuple):
    """By what a change of a file is noticed. Times are in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: its canonical path, where it is opened below the root, what it was."""

    path: str
    where: bytes
    stamp: Stamp

    @property
    def name(self) -> str:
        """What to call it in messages: a single file by its name."""
        return shown(self.where.decode("utf-8", "surrogateescape"))


class Tree:
    """Opens what lies below a root, one component after the other, following no link.

    Keeps the folders on the way to the last place open. Not for two threads at once.
    """

    def __init__(self, root: int) -> None:
        """Take over the descriptor of the root."""
        self._folders = [root]
        self._parts: list[bytes] = []
        self._at = b""

    @classmethod
    def of(cls, root: Path) -> Self:
        """Open the folder `root`, or the folder of the file `root`. Raises Unreadable."""
        try:
            kind = stat.S_IFMT(root.lstat().st_mode)
            if kind not in (stat.S_IFDIR, stat.S_IFREG):
                raise irregular(str(root), kind)
            if kind == stat.S_IFDIR:
                return cls(os.open(root, FOLDER))
            return cls(os.open(root.parent, FOLDER & ~os.O_NOFOLLOW))  # named by the caller
        except OSError as error:
            raise unreadable(str(root), error) from error

    def copy(self) -> Tree:
        """Return another tree of the same root, for another thread."""
        return Tree(os.dup(self._folders[0]))

    def folder(self, where: bytes) -> int:
        """Return a folder's descriptor, valid until the next call."""
        if where == self._at:
            return self._folders[-1]
        parts = where.split(b"/") if where else []
        same = 0
        for have, want in zip(self._parts, parts, strict=False):
            if have != want:
                break
            same += 1
        while len(self._parts) > same:
            self._parts.pop()
            os.close(self._folders.pop())
        self._at = b"/".join(self._parts)
        for part in parts[same:]:
            self._folders.append(os.open(part, FOLDER, dir_fd=self._folders[-1]))
            self._parts.append(part)
        self._at = where
        return self._folders[-1]

    def open(self, where: bytes) -> int:
        """Open a file to read, without waiting and without following a link at any part."""
        folder, _, name = where.rpartition(b"/")
        return os.open(name, FILE, dir_fd=self.folder(folder))

    def close(self) -> None:
        """Close every folder."""
        while self._folders:
            os.close(self._folders.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


def walk(tree: Tree, root: Path, ignored: tuple[str, ...]) -> tuple[File, ...]:
    """Return every regular file below the root in code-point order of paths, but the ignored.

    `root` is where the tree was opened; a single file is one entry. Raises Unreadable or Malformed
    naming the first thing that cannot be signed.
    """
    found = _lstat(root)
    if not stat.S_ISDIR(found.st_mode):
        return (File(WHOLE, os.fsencode(root.name), stamp(found)),)
    files: list[File] = []
    pending, seen = [""], 0
    skip = frozenset(ignored)
    while pending:
        folder = pending.pop()
        try:
            seen += _scan(tree, folder, skip, files, pending)
        except OSError as error:
            raise unreadable(folder or str(root), error) from error
        if seen > MAX_FILES:
            raise TooLarge(f"{root}: more than {MAX_FILES:,} files", "sign parts of it")
    files.sort(key=lambda file: file.path)
    return tuple(files)


def _scan(
    tree: Tree, folder: str, skip: frozenset[str], files: list[File], pending: list[str]
) -> int:
    prefix = f"{folder}/" if folder else ""
    seen = 0
    with os.scandir(tree.folder(folder.encode())) as entries:
        for entry in entries:
            name = entry.name
            if not name.isascii():  # names are bytes; how this process decodes them is no matter
                name = os.fsencode(name).decode("utf-8", "surrogateescape")
            path = prefix + name
            if path in skip:
                continue
            seen += 1
            if seen > MAX_FILES:
                break
            canonical(path)
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                files.append(File(path, path.encode(), stamp(found)))
            elif stat.S_ISDIR(found.st_mode):
                pending.append(path)
            else:
                raise irregular(path, stat.S_IFMT(found.st_mode))
    return seen


def stamp(found: os.stat_result) -> Stamp:
    """Return what tells this state of a file from another."""
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def irregular(path: str, kind: int) -> Unreadable:
    """Return the error for what is no regular file."""
    what = _KINDS.get(kind, "no regular file")
    return Unreadable(
        f"{shown(path)} is {what}, and only regular files can be signed",
        "put the file itself in its place, or move it out of the folder",
    )


def unreadable(path: str, error: OSError) -> Unreadable:
    """Return the error for a file or folder that the system would not read."""
    why = error.strerror or str(error)
    return Unreadable(f"{shown(path)} cannot be read ({why})", "check that it is there, and yours")


def _lstat(root: Path) -> os.stat_result:
    try:
        return root.lstat()
    except OSError as error:
        raise unreadable(str(root), error) from error
