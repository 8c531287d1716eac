"""Small files read within bounds; what goes wrong with one names it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from security.errors import SecurityError, TooLarge, Unreadable
from security.paths import shown

_SIGNED = "name the file that was signed, and its signature if it lies elsewhere"


def read(path: Path, limit: int, *, hint: str = _SIGNED) -> bytes:
    """Return a regular file of at most `limit` bytes. Raises Unreadable, TooLarge."""
    try:
        # Not to wait for the other end of a pipe that somebody left there.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:  # judged before it becomes a Python file: a folder cannot, and would stay open
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable(f"{shown(str(path))} is not a regular file", "name the file")
            if found.st_size <= limit:
                with os.fdopen(fd, "rb", closefd=False) as file:
                    data = file.read(limit + 1)
                if len(data) <= limit:
                    return data
        finally:
            os.close(fd)
    except OSError as error:
        why = error.strerror or str(error)
        raise Unreadable(f"{shown(str(path))}: {why}", hint) from error
    raise TooLarge(f"{shown(str(path))} has more than {limit:,} bytes", "name another file")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the path before the message of every error of this part."""
    try:
        yield
    except SecurityError as error:
        raise type(error)(f"{shown(str(path))}: {error.message}", error.hint) from error
