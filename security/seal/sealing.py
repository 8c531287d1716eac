"""Seal and open single files: whole or not there, in age's format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from security.errors import WriteFailed
from security.seal import armor, chunks, header, journal, stream
from security.seal.chunks import NONCE
from security.seal.header import BLOCK, KEY_SIZE, Identity, Recipient
from security.seal.reading import Opened, reading, shown
from security.seal.stream import Progress, Tap
from security.seal.unlocking import unlock
from security.storing import put, replacing

SUFFIX = ".age"


def seal(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> None:
    """Seal a file to recipients; `header_size` leaves room to change them in place.

    `jobs` are threads, 0 for all cores.
    Raises Refused, Unreadable for a source that changes meanwhile, WriteFailed.
    """
    with replacing_sealed(target, overwrite=overwrite) as fd, reading(source) as opened:
        seal_opened(opened, fd, recipients, header_size=header_size, jobs=jobs, progress=progress)


@contextmanager
def replacing_sealed(target: Path, *, overwrite: bool) -> Iterator[int]:
    """Replace a sealed file as `storing.replacing` does, and with it what belonged to the old."""
    with replacing(target, overwrite=overwrite) as fd:
        yield fd
    try:
        if journal.beside(target).exists():
            journal.drop(target)
    except OSError as error:
        place = shown(journal.beside(target))
        raise WriteFailed(f"{place} cannot be removed ({error.strerror})", "remove it") from error


def seal_opened(
    opened: Opened,
    target: int,
    recipients: Sequence[Recipient],
    *,
    header_size: int = BLOCK,
    jobs: int = 0,
    tap: Tap | None = None,
    progress: Progress | None = None,
) -> None:
    """Seal an open file into an open one. Raises Refused, Unreadable, OSError of the target."""
    file_key, nonce = os.urandom(KEY_SIZE), os.urandom(NONCE)
    head = header.build(file_key, recipients, size=header_size) + nonce
    put(target, head, 0)
    ends = stream.Ends(opened.name, opened.fd, target, target_at=len(head))
    box = chunks.cipher(file_key, nonce)
    stream.encrypt(box, ends, opened.size, jobs=jobs, tap=tap, progress=progress)


def seal_bytes(data: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return a few bytes as a sealed file. Raises Refused."""
    file_key = os.urandom(KEY_SIZE)
    return header.build(file_key, recipients) + chunks.seal_bytes(file_key, data)


def open_sealed(
    source: Path,
    target: Path,
    identities: Sequence[Identity],
    *,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    mode: int = 0o600,
) -> None:
    """Open a sealed file; the target appears only when every byte of it is authentic.

    Raises NoMatch, Malformed, Tampered, Refused, Unreadable, WriteFailed.
    """
    with (
        replacing(target, mode=mode, overwrite=overwrite) as fd,
        reading(source, sealed=True) as opened,
    ):
        open_opened(source, opened, fd, identities, jobs=jobs, progress=progress)


def open_opened(
    path: Path,
    opened: Opened,
    target: int,
    identities: Sequence[Identity],
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> None:
    """Open a sealed file into another; `path` is where its journal would lie beside it.

    Raises as `open_sealed`, and OSError of the target.
    """
    if armor.is_armored(os.pread(opened.fd, 1024, 0)):
        put(target, _armored(opened, identities), 0)
        return
    found = unlock(path, opened, identities)
    ends = stream.Ends(opened.name, opened.fd, target, source_at=found.start)
    stream.decrypt(found.box, ends, found.size, jobs=jobs, progress=progress)


def _armored(opened: Opened, identities: Sequence[Identity]) -> bytes:
    """Open an armoured file, which is small or refused."""
    given = memoryview(bytearray(min(opened.size, armor.LIMIT + 1)))
    stream.fill(opened.name, opened.fd, given, 0)
    data = armor.dearmor(bytes(given), opened.name)
    parsed = header.parse(data, opened.name)
    file_key = header.unseal(parsed, identities)
    return chunks.open_bytes(opened.name, file_key, data[parsed.size :])
