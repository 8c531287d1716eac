"""One file read once, piece by piece, and seen to be the same before and after."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from security.errors import SecurityError, Unreadable
from security.hashing.walk import File, Tree, irregular, stamp, unreadable

# Small enough for the second cache of a core: the copy out of the page cache costs little.
# Mapping files instead was no faster, and a file cut short while mapped kills the process.
PIECE = 512 << 10  # bytes
HOLLOW = 16 << 30  # bytes from which a file must not be holes alone: reading those takes hours
HOLES, EXTENTS = 1000, 64  # holes for each byte that is stored, in so many runs of these


def buffer() -> memoryview:
    """Return room for one piece."""
    return memoryview(bytearray(PIECE))


def opened(tree: Tree, file: File) -> int:
    """Open a file that the walk found; raises Unreadable if it is another by now."""
    try:
        fd = tree.open(file.where)
    except OSError as error:
        raise _gone(tree, file, error) from error
    try:
        check(fd, file)
        full(fd, file.name, file.stamp.size)
        if file.stamp.size > PIECE:  # so that the disk reads on while we digest
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    except BaseException:
        os.close(fd)
        raise
    return fd


def check(fd: int, file: File) -> None:
    """Raise Unreadable if an open file is not, or not any more, in the state that was found."""
    found = os.fstat(fd)
    if stamp(found) != file.stamp:
        if not stat.S_ISREG(found.st_mode):
            raise irregular(file.name, stat.S_IFMT(found.st_mode))
        raise changed(file.name)


def full(fd: int, name: str, size: int) -> None:
    """Raise Unreadable for a file that is all but holes: terabytes that nobody stored."""
    if size < HOLLOW:
        return
    data = at = 0
    try:
        for _ in range(EXTENTS):  # a file system that knows of no holes has one extent
            start = os.lseek(fd, at, os.SEEK_DATA)
            at = os.lseek(fd, start, os.SEEK_HOLE)
            data += at - start
            if data * HOLES > size:
                break
    except OSError as error:
        if error.errno != errno.ENXIO:  # no more data
            raise unreadable(name, error) from error
    finally:
        os.lseek(fd, 0, os.SEEK_SET)
    if data * HOLES <= size:
        hint = "get the file again, or leave it out"
        raise Unreadable(f"{name} is sparse: of {size:,} bytes nearly none is stored", hint)


def pieces(fd: int, file: File, room: memoryview) -> Iterator[memoryview]:
    """Yield a file's bytes from its start, each piece valid until the next is asked for.

    Raises Unreadable for a file that changes meanwhile: always before the iteration ends.
    """
    left = file.stamp.size
    try:
        while left > 0:
            got = os.readv(fd, [room])
            left -= got
            if not got:
                raise changed(file.name)
            yield room[:got]
    except OSError as error:
        raise unreadable(file.name, error) from error
    check(fd, file)


def changed(name: str) -> Unreadable:
    """Return the error for a file that somebody writes to, or put another in place of."""
    return Unreadable(
        f"{name} changed while it was read",
        "wait until nothing writes there, then try again",
    )


def _gone(tree: Tree, file: File, error: OSError) -> SecurityError:
    """Tell a file that was replaced since the walk from one that cannot be opened."""
    folder, _, name = file.where.rpartition(b"/")
    try:
        found = os.stat(name, dir_fd=tree.folder(folder), follow_symlinks=False)
    except OSError:
        return changed(file.name)
    if stat.S_ISREG(found.st_mode) and stamp(found) == file.stamp:
        return unreadable(file.name, error)
    return changed(file.name)
