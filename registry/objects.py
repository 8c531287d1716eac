"""Local object stores (Git LFS, DVC cache): files named by digest, believed only when hashed."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from registry.errors import CorruptWeights, MissingWeights, UnsafeWeights
from registry.proofs import PROOFS

CHUNK = 1 << 20


def lfs_object(git_dir: Path, digest: str) -> Path:
    """Return where Git LFS keeps an object."""
    return git_dir / "lfs" / "objects" / digest[:2] / digest[2:4] / digest


def dvc_object(cache: Path, digest: str, *, folder: bool = False, legacy: bool = False) -> Path:
    """Return where a DVC cache keeps an object; `folder` asks for a folder's list of files."""
    root = cache if legacy else cache / "files" / "md5"
    return root / digest[:2] / (digest[2:] + (".dir" if folder else ""))


def is_at_hand(path: Path) -> bool:
    """Whether a regular file (not a link) is there."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def read(path: Path, digest: str, limit: int) -> bytes:
    """Return a whole object of at most `limit` bytes, its digest proven."""
    with _open(path) as source:
        data = source.read(limit + 1)
    if len(data) > limit:
        raise UnsafeWeights(f"object {digest} has more than {limit:,} bytes", "make it smaller")
    hasher = _hasher(digest)
    hasher.update(data)
    _compare(hasher.hexdigest(), digest)
    return data


def prefix(path: Path, digest: str, count: int) -> tuple[bytes, int]:
    """Return an object's first `count` bytes and its size; all of it is hashed."""
    if not count:
        with opened(path, digest) as source:
            return b"", os.fstat(source).st_size
    hasher, size, first = _hasher(digest), 0, b""
    for chunk in _chunks(path):  # what is returned is part of what was hashed
        first += chunk[: max(0, count - size)]
        size += len(chunk)
        hasher.update(chunk)
    _compare(hasher.hexdigest(), digest)
    return first, size


@contextmanager
def opened(path: Path, digest: str) -> Iterator[int]:
    """Give a descriptor of an object, all of it hashed: what is read of it is what was named.

    Where its descriptor stands is not said: read it by position.
    """
    with _open(path) as source:
        _prove(source, digest)
        yield source.fileno()


def copy(path: Path, digest: str, target: Path, limit: int) -> int:
    """Copy an object to a new file and return its size; a wrong digest leaves no file."""
    hasher, size = _hasher(digest), 0
    try:
        with target.open("xb") as out:
            for chunk in _chunks(path):
                size += len(chunk)
                if size > limit:
                    raise UnsafeWeights(
                        f"{target.name} is larger than the {limit:,} bytes that are left",
                        "raise the limit in the policy, or shrink the model",
                    )
                hasher.update(chunk)
                out.write(chunk)
        _compare(hasher.hexdigest(), digest)
    except (CorruptWeights, UnsafeWeights):
        target.unlink()
        raise
    return size


def _prove(source: BinaryIO, digest: str) -> None:
    """Hash an open object, unless this process did and it is as it was."""
    before, began = os.fstat(source.fileno()), time.time_ns()
    if PROOFS.has(before, digest):
        return
    hasher = _hasher(digest)
    while chunk := source.read(CHUNK):
        hasher.update(chunk)
    _compare(hasher.hexdigest(), digest)
    PROOFS.keep(before, os.fstat(source.fileno()), digest, began)


def _hasher(digest: str) -> hashlib._Hash:
    # md5 is DVC's name for the bytes, not a defence: the digest of a release is SHA-256.
    return hashlib.md5(usedforsecurity=False) if len(digest) == 32 else hashlib.sha256()


def _compare(found: str, digest: str) -> None:
    if found != digest:
        raise CorruptWeights(
            f"object {digest} at hand has other bytes (digest {found})",
            "delete it there and fetch it again; if it comes back the same, push it from a clone "
            "where it is intact",
        )


def _open(path: Path) -> BinaryIO:
    try:
        # A link, a pipe or a device in a store was not put there by LFS or DVC.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MissingWeights(
            f"object {path.name} cannot be read: {error.strerror}", "fetch it again"
        ) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise MissingWeights(f"object {path.name} is not a regular file", "fetch it again")
    return os.fdopen(handle, "rb")


def _chunks(path: Path) -> Iterator[bytes]:
    with _open(path) as source:
        while chunk := source.read(CHUNK):
            yield chunk
