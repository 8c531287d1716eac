"""Writes that are whole or not there, and files that hold secrets."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from security.errors import BadKey, Refused, Unreadable, WriteFailed

PRIVATE_LIMIT = 1_000_000  # bytes of a key file
# Larger writes make the kernel take large folios, which cost it twice as much on virtual machines.
PIECE = 65_536
_TMPFILE = getattr(os, "O_TMPFILE", 0)  # Linux
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_PUBLIC = (b"-----BEGIN PUBLIC KEY", b"-----BEGIN CERTIFICATE", b"age1")
_PREFIX, _SUFFIX = ".modelwarden-", ".tmp"


@contextmanager
def replacing(
    path: Path, *, mode: int = 0o644, overwrite: bool = True, durable: bool = True
) -> Iterator[int]:
    """Give a descriptor for the new content of `path`, which appears whole or not at all.

    Until then it has no name where the file system can do that, so that not even a killed
    process leaves it behind; elsewhere what a killed one left is removed by the next. A link at
    `path` is replaced itself, never written through. `mode` is subject to the umask. What is not
    `durable` may be lost or cut by a failure of the machine: for what is proven when it is read.
    Raises Refused if it exists and may not be overwritten, WriteFailed.
    """
    try:
        if not overwrite and os.path.lexists(path):
            raise _exists(path)
        if path.is_dir() and not path.is_symlink():
            raise Refused(f"{path} is a folder", "name a file in it")
        with _unnamed(path.parent) as (fd, name):
            yield fd
            os.fchmod(fd, mode & ~_umask())
            if durable:
                os.fsync(fd)
            _name(fd, name, path, overwrite)
        if durable:
            sync(path.parent)
    except OSError as error:
        why = error.strerror or str(error)
        raise WriteFailed(
            f"{path}: cannot be written ({why})", "check the folder, its space and its permissions"
        ) from error


def write(path: Path, data: bytes, *, mode: int = 0o644, overwrite: bool = True) -> None:
    """Replace a file by these bytes, durably. Raises Refused, WriteFailed."""
    with replacing(path, mode=mode, overwrite=overwrite) as fd:
        put(fd, data, 0)


def put(fd: int, data: bytes | memoryview, at: int) -> None:
    """Write all of these bytes at an offset. Raises OSError."""
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view[:PIECE], at)
        view, at = view[done:], at + done


def sync(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_private(path: Path) -> bytes:
    """Read a file that only its owner can read. Raises BadKey for any other, Unreadable."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise BadKey(f"{path} is not a regular file", "name the key file itself")
            with os.fdopen(os.dup(fd), "rb") as file:
                data = file.read(PRIVATE_LIMIT + 1)
            if found.st_mode & 0o077:
                if data.startswith(_PUBLIC):
                    raise BadKey(f"{path} holds what is public", "name the file of the private key")
                mode = stat.S_IMODE(found.st_mode)
                raise BadKey(f"{path} may be read by others (mode {mode:04o})", f"chmod 600 {path}")
        finally:
            os.close(fd)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}", "name a key file of yours") from error
    if len(data) > PRIVATE_LIMIT:
        raise BadKey(f"{path} has more than {PRIVATE_LIMIT:,} bytes", "name a key file")
    return data


@contextmanager
def _unnamed(folder: Path) -> Iterator[tuple[int, Path | None]]:
    """Open a new file in a folder: without a name, else under one that is taken away again."""
    flags = os.O_RDWR | os.O_CLOEXEC
    name: Path | None = None
    try:
        fd = os.open(folder, flags | _TMPFILE, 0o600)
    except OSError:  # not on this file system, or the folder cannot be written: the next says
        _sweep(folder)
        name = _temporary(folder)
        fd = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600)
    _hold(fd)
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
    if not overwrite or not (name or os.path.lexists(path)):
        try:
            _link(fd, name, path)
        except FileExistsError:
            if not overwrite:
                raise _exists(path) from None
        except OSError as error:  # a file system without hard links: the check before must do
            if not name or error.errno not in _NO_LINKS:
                raise
        else:
            if name:
                name.unlink()
            return
    if not name:  # only a name can take another's place
        _sweep(path.parent)
        name = _temporary(path.parent)
        _link(fd, None, name)
    try:
        name.replace(path)
    except OSError:
        with suppress(OSError):
            name.unlink()
        raise


def _link(fd: int, name: Path | None, path: Path) -> None:
    # Only linkat follows a link, and Python calls it only when a folder's descriptor is given.
    source = name or f"/proc/self/fd/{fd}"
    os.link(source, path, src_dir_fd=fd, follow_symlinks=True)


def _temporary(folder: Path) -> Path:
    return folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"


def _hold(fd: int) -> None:
    """Tell other processes that this file is in use, where the file system can do that."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


@cache  # once a process and folder: our own are removed as we go, unless we are killed
def _sweep(folder: Path) -> None:
    """Remove the temporary files of killed processes: those that nobody holds."""
    with suppress(OSError):
        for path in list(folder.glob(f"{_PREFIX}*{_SUFFIX}")):
            with suppress(OSError):
                _remove_unheld(path)


def _remove_unheld(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(fd)


def _umask() -> int:
    """Return the umask without changing it, as other threads may be creating files."""
    with suppress(OSError), Path("/proc/self/status").open(encoding="latin-1") as lines:
        for line in lines:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o077


def _exists(path: Path) -> Refused:
    return Refused(f"{path} is there already", "name another, or say --force to replace it")
