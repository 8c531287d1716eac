"""One file fetched in its parts: gone on with where it stopped, hashed while it is written."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.keys.transport import ATTEMPTS, Cut, Server, pause
from registry.release.assets import File, Part
from security import storing
from security.errors import Tampered
from security.paths import shown

if TYPE_CHECKING:
    from hashlib import _Hash

_PIECE = 1 << 20
_HINT = "ask who released it; do not use what was fetched"
_AGAIN = "check the network, then run it again: it goes on where it stopped"
Tell = Callable[[int], None]


def arrive(server: Server, file: File, target: Path, waiting: Path, tell: Tell) -> None:
    """Fetch a file to `target`, whole and with its digest; until then it lies at `waiting`.

    Raises Tampered where the server has something else, CouldNotTell, OSError of the disk.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if _has(target, file):
        tell(file.size)
        return
    fd = os.open(waiting, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fresh = os.fstat(fd).st_size == 0
        if not _complete(server, file, fd, tell):
            os.ftruncate(fd, 0)
            # What was there before may be of another day; what came now is what the server has.
            if fresh or not _complete(server, file, fd, tell):
                waiting.unlink()
                raise Tampered(f"{shown(file.path)}: what came is not what was signed", _HINT)
    finally:
        os.close(fd)
    waiting.replace(target)


def _has(target: Path, file: File) -> bool:
    """Whether the file is there, whole; anything else of its name is taken away."""
    try:
        found = target.lstat()
    except FileNotFoundError:
        return False
    if stat.S_ISREG(found.st_mode) and found.st_size == file.size:
        with target.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256:
                return True
    target.unlink()
    return False


def _complete(server: Server, file: File, fd: int, tell: Tell) -> bool:
    """Write what is missing of a file; return whether it then is what was signed."""
    at = os.fstat(fd).st_size
    if at > file.size:
        os.ftruncate(fd, 0)
        at = 0
    digest = _hashed(fd, at)
    best, vain, left = at, 0, 50 + (file.size >> 24)  # attempts, however little each brings
    while at < file.size:
        part = next(each for each in file.parts if at < each.offset + each.size)
        try:
            at, digest = _go_on(server, part, fd, at, digest, tell)
        except Cut:
            at = os.fstat(fd).st_size
            vain, left = (vain + 1 if at <= best else 0), left - 1
            if vain == ATTEMPTS or not left:
                raise
            pause(max(vain, 1))
            digest = _hashed(fd, at)
        best = max(best, at)
    return digest.hexdigest() == file.sha256


def _go_on(
    server: Server, part: Part, fd: int, at: int, digest: _Hash, tell: Tell
) -> tuple[int, _Hash]:
    """Fetch the rest of a part; return where that ends. Raises Cut, Tampered."""
    end = part.offset + part.size
    with server.stream(part.name, at - part.offset) as (pieces, start):
        if part.offset + start != at:  # this server gives whole files only
            at = part.offset
            os.ftruncate(fd, at)
            digest = _hashed(fd, at)
        for piece in pieces:
            if at + len(piece) > end:
                what = f"{part.name}: more than the {part.size:,} bytes that are listed"
                raise Tampered(what, _HINT)
            storing.put(fd, piece, at)
            digest.update(piece)
            at += len(piece)
            tell(at)
    if at < end:
        raise Cut(f"{part.name}: less than the {part.size:,} bytes that are listed", _AGAIN)
    return at, digest


def _hashed(fd: int, size: int) -> _Hash:
    """Return the hash of the first bytes of a file."""
    digest, at = hashlib.sha256(), 0
    while at < size:
        piece = os.pread(fd, min(_PIECE, size - at), at)
        if not piece:
            break
        digest.update(piece)
        at += len(piece)
    return digest
