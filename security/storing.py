"""Writes that are whole or not there, and files that hold secrets."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from security.errors import BadKey, Refused, Unreadable, WriteFailed

PRIVATE_LIMIT = 1_000_000  # bytes of a key file


@contextmanager
def replacing(path: Path, *, mode: int = 0o644, overwrite: bool = True) -> Iterator[int]:
    """Give a descriptor for the new content of `path`, which appears whole or not at all.

    Until then it has no name where the file system can do that, so that not even a killed
    process leaves it behind. Raises Refused if it exists, WriteFailed.
    """
    try:
        if not overwrite and os.path.lexists(path):
            raise _exists(path)
        with _unnamed(path.parent) as (fd, name):
            yield fd
            os.fchmod(fd, mode)
            os.fsync(fd)
            _name(fd, name, path, overwrite)
        _sync(path.parent)
    except OSError as error:
        why = error.strerror or str(error)
        raise WriteFailed(
            f"{path}: cannot be written ({why})", "check the folder, its space and its permissions"
        ) from error


def write(path: Path, data: bytes, *, mode: int = 0o644, overwrite: bool = True) -> None:
    """Replace a file by these bytes, durably. Raises Refused, WriteFailed."""
    with replacing(path, mode=mode, overwrite=overwrite) as fd:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]


def read_private(path: Path) -> bytes:
    """Read a file that only its owner can read. Raises BadKey for any other, Unreadable."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}", "name a key file of yours") from error
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise BadKey(f"{path} is not a regular file", "name the key file itself")
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise BadKey(f"{path} may be read by others (mode {mode:04o})", f"chmod 600 {path}")
        data = file.read(PRIVATE_LIMIT + 1)
    if len(data) > PRIVATE_LIMIT:
        raise BadKey(f"{path} has more than {PRIVATE_LIMIT:,} bytes", "name a key file")
    return data


@contextmanager
def _unnamed(folder: Path) -> Iterator[tuple[int, Path | None]]:
    """Open a new file in a folder: without a name, else under one that is taken away again."""
    flags = os.O_RDWR | os.O_CLOEXEC
    name: Path | None = None
    try:
        fd = os.open(folder, flags | os.O_TMPFILE, 0o600)
    except OSError:  # not on this file system
        name = folder / f".{secrets.token_hex(8)}.tmp"
        fd = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield fd, name
    except BaseException:
        if name:
            with suppress(OSError):
                name.unlink()
        raise
    finally:
        os.close(fd)


def _name(fd: int, name: Path | None, path: Path, overwrite: bool) -> None:
    source = name or f"/proc/self/fd/{fd}"
    try:
        os.link(source, path, follow_symlinks=True)
    except FileExistsError:
        if not overwrite:
            raise _exists(path) from None
        if not name:
            name = path.parent / f".{secrets.token_hex(8)}.tmp"
            os.link(source, name, follow_symlinks=True)
        name.replace(path)
    else:
        if name:
            name.unlink()


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _exists(path: Path) -> Refused:
    return Refused(f"{path} is there already", "name another, or say --force to replace it")
