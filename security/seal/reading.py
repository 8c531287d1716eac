"""Opening a regular file to be read once, and noticing when it changes meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from security import paths
from security.errors import Unreadable
from security.hashing.reading import full
from security.hashing.walk import stamp

_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


@dataclass(frozen=True, slots=True)
class Opened:
    """An open regular file: what errors call it, its descriptor and its size in bytes."""

    name: str
    fd: int
    size: int


@contextmanager
def reading(
    path: Path, *, fd: int | None = None, sealed: bool = False, writable: bool = False
) -> Iterator[Opened]:
    """Open a regular file, or take over its descriptor; at the end check that it did not change.

    A `sealed` one needs no check: its tags prove what was read. Raises Unreadable.
    """
    if fd is None:
        try:
            fd = os.open(path, _FLAGS | (os.O_RDWR if writable else os.O_RDONLY))
        except OSError as error:
            raise unreadable(path, error) from error
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise Unreadable(f"{shown(path)} is not a regular file", "name a regular file")
        if not sealed:
            full(fd, shown(path), before.st_size)
        yield Opened(shown(path), fd, before.st_size)
        if not sealed and stamp(os.fstat(fd)) != stamp(before):
            raise Unreadable(f"{shown(path)} changed while it was read", "let its writer end first")
    finally:
        os.close(fd)


def shown(path: Path) -> str:
    """Return a path as one line of text, whatever its name holds."""
    return paths.shown(str(path))


def unreadable(path: Path, error: OSError) -> Unreadable:
    """Return the error of a file that the system does not let us read."""
    why = error.strerror or str(error)
    return Unreadable(f"{shown(path)} cannot be read ({why})", "check its name and permissions")
