"""Opening a regular file to be read once, and noticing when it changes meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from security.errors import Unreadable

_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class Opened:
    """An open regular file: what errors call it, its descriptor and its size in bytes."""

    name: str
    fd: int
    size: int


@contextmanager
def reading(
    path: Path, *, root: int | None = None, sealed: bool = False, writable: bool = False
) -> Iterator[Opened]:
    """Open a regular file; at the end check that it is still as it was.

    A `sealed` one needs no check: its tags prove what was read. With `root`, a folder's
    descriptor, `path` is relative and no part of it may be a link. Raises Unreadable.
    """
    flags = _FLAGS | (os.O_RDWR if writable else os.O_RDONLY)
    try:
        fd = os.open(path, flags) if root is None else _beneath(root, path, flags)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable(f"{shown(path)} is not a regular file", "name a regular file")
        yield Opened(shown(path), fd, before.st_size)
        if not sealed and _state(os.fstat(fd)) != _state(before):
            raise Unreadable(f"{shown(path)} changed while it was read", "let its writer end first")
    finally:
        os.close(fd)


def shown(path: Path) -> str:
    """Return a path as one line of text, whatever its name holds."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unreadable(path: Path, error: OSError) -> Unreadable:
    """Return the error of a file that the system does not let us read."""
    why = error.strerror or str(error)
    return Unreadable(f"{shown(path)} cannot be read ({why})", "check its name and permissions")


def _beneath(root: int, path: Path, flags: int) -> int:
    """Open a path below a folder, part by part, so that no link can lead out of it."""
    *folders, last = path.parts
    at = os.dup(root)
    try:
        for folder in folders:
            below = os.open(
                folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at
            )
            os.close(at)
            at = below
        return os.open(last, flags | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
