"""From an open sealed file and identities to the key of its payload."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from security.errors import SecurityError, Tampered
from security.seal import chunks, header, journal
from security.seal.chunks import CHUNK, NONCE, SEALED, TAG
from security.seal.header import Identity
from security.seal.reading import Opened, reading
from security.seal.stream import fill


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A sealed file whose file key was found: `start` is the offset of its first chunk."""

    header: bytes
    file_key: bytes = field(repr=False)
    box: ChaCha20Poly1305 = field(repr=False)
    start: int
    size: int  # bytes of plaintext


def unlock(
    path: Path, opened: Opened, identities: Sequence[Identity], *, locked: bool = False
) -> Unlocked:
    """Find the key, and prove that the payload ends where the file does.

    A change of recipients that was cut short is finished, where we may write.
    Raises NoMatch, Malformed, Tampered, Unreadable, Refused.
    """
    data, found = journal.head(path, opened, locked=locked)
    parsed = header.parse(data, opened.name)
    file_key = header.unseal(parsed, identities)
    nonce = data[parsed.size : parsed.size + NONCE]
    size = chunks.plain_size(opened.name, opened.size - parsed.size)
    box = chunks.cipher(file_key, nonce)
    start = parsed.size + NONCE
    last = chunks.count(size) - 1
    sealed = memoryview(bytearray(size - last * CHUNK + TAG))
    fill(opened.name, opened.fd, sealed, start + last * SEALED)
    try:
        open_chunk(opened.name, box, last, True, sealed)
    except Tampered as error:
        raise journal.foreign(path, opened) if found else error from error
    if found:
        _replay(path, opened, found, locked)
    return Unlocked(data[: parsed.size], file_key, box, start, size)


def open_chunk(
    name: str, box: ChaCha20Poly1305, index: int, last: bool, sealed: memoryview
) -> bytes:
    """Open one chunk. Raises Tampered."""
    try:
        return box.decrypt(chunks.number(index, last), sealed, None)
    except InvalidTag:
        raise chunks.damage(name, box, index, last, sealed) from None


def _replay(path: Path, opened: Opened, found: journal.Journal, locked: bool) -> None:
    if locked:
        journal.finish(path, opened.fd, found)
        return
    # Only a help to other readers: who cannot write, or meets a writer, has read the header.
    with suppress(SecurityError, OSError), reading(path, sealed=True, writable=True) as again:
        if not os.path.sameopenfile(opened.fd, again.fd):
            return
        with journal.lock(again):
            _, found_again = journal.head(path, again, locked=True)
            if found_again == found:
                journal.finish(path, again.fd, found)
