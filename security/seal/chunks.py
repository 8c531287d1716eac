"""The chunks of an age payload (age v1, "Payload"; STREAM of Hoang et al., CRYPTO 2015)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from security.errors import Tampered
from security.seal.header import KEY_SIZE

CHUNK = 65_536  # bytes of plaintext
TAG = 16
SEALED = CHUNK + TAG
NONCE = 16  # bytes before the first chunk, which make the payload key
HINT = "fetch or copy the sealed file again; nothing of it was kept"


def cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """Return the cipher of one payload: its key is HKDF-SHA256(file key, nonce, "payload")."""
    if len(file_key) != KEY_SIZE or len(nonce) != NONCE:
        raise ValueError("a file key and a payload nonce have 16 bytes each")
    return ChaCha20Poly1305(HKDF(SHA256(), 32, nonce, b"payload").derive(file_key))


def number(index: int, last: bool) -> bytes:
    """Return the nonce of one chunk: an 11-byte counter, and 1 for the last chunk only."""
    return (index << 8 | last).to_bytes(12, "big")


def count(size: int) -> int:
    """Return how many chunks hold `size` bytes of plaintext: none is empty but an only one."""
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """Return the bytes of a payload, nonce included, that holds `size` bytes."""
    return NONCE + size + TAG * count(size)


def plain_size(name: str, sealed: int) -> int:
    """Return how many bytes a payload of `sealed` bytes holds. Raises Tampered."""
    rest = sealed - NONCE
    size = rest - TAG * max(1, -(-rest // SEALED))
    if size < 0 or sealed_size(size) != sealed:
        why = "was cut short, or goes on after its final chunk"
        raise Tampered(f"{name} {why}: no payload has {rest:,} bytes", HINT)
    return size


def seal_bytes(file_key: bytes, data: bytes, nonce: bytes | None = None) -> bytes:
    """Return the payload of a small file; a nonce is given by tests only."""
    nonce = os.urandom(NONCE) if nonce is None else nonce
    box, view, last = cipher(file_key, nonce), memoryview(data), count(len(data)) - 1
    parts = (
        box.encrypt(number(i, i == last), view[i * CHUNK : (i + 1) * CHUNK], None)
        for i in range(last + 1)
    )
    return b"".join((nonce, *parts))


def open_bytes(name: str, file_key: bytes, payload: bytes) -> bytes:
    """Return what a small payload holds. Raises Tampered unless all of it is authentic."""
    return b"".join(pieces(name, file_key, payload))


def pieces(name: str, file_key: bytes, payload: bytes) -> Iterator[bytes]:
    """Yield the chunks in order, each authentic; the end is proven when no Tampered follows."""
    if len(payload) < NONCE:
        raise Tampered(f"{name} ends before its payload", HINT)
    box, view, index = cipher(file_key, payload[:NONCE]), memoryview(payload)[NONCE:], 0
    while True:
        part, view = view[:SEALED], view[SEALED:]
        plain, last = _open(name, box, index, part)
        if last and index and not plain:
            raise Tampered(f"{name} ends in an empty chunk", HINT)
        yield plain
        if last:
            break
        index += 1
    if view:
        raise Tampered(f"{name} goes on after its final chunk", HINT)


def damage(name: str, box: ChaCha20Poly1305, index: int, last: bool, part: memoryview) -> Tampered:
    """Return why this chunk was refused: not the end, beyond the end, or altered."""
    try:
        box.decrypt(number(index, not last), part, None)
    except InvalidTag:
        return Tampered(f"{name} was altered: chunk {index} is not authentic", HINT)
    if last:
        return Tampered(f"{name} was cut short after chunk {index}", HINT)
    return Tampered(f"{name} goes on after its final chunk {index}", HINT)


def _open(name: str, box: ChaCha20Poly1305, index: int, part: memoryview) -> tuple[bytes, bool]:
    if len(part) < TAG:
        raise Tampered(f"{name} was cut short after {index} chunks", HINT)
    if len(part) == SEALED:
        try:
            return box.decrypt(number(index, False), part, None), False
        except InvalidTag:
            pass  # it may be the last
    try:
        return box.decrypt(number(index, True), part, None), True
    except InvalidTag:
        raise damage(name, box, index, True, part) from None
