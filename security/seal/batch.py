"""Sixteen chunks at a time, in buffers that are used again: one of each per thread."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from security.seal import chunks
from security.seal.chunks import CHUNK, SEALED, TAG

BATCH = 16  # chunks: both buffers stay within the second cache of a core


class Batch:
    """Buffers for up to 16 chunks of one payload that holds `size` bytes in all."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._total = chunks.count(size)
        most = min(BATCH, self._total)
        self._plain = memoryview(bytearray(min(BATCH * CHUNK, size)))
        self._sealed = memoryview(bytearray(most * SEALED))
        # The views are made once: slicing costs as much as a call.
        self._plains = [self._plain[i * CHUNK : (i + 1) * CHUNK] for i in range(most)]
        self._sealeds = [self._sealed[i * SEALED : (i + 1) * SEALED] for i in range(most)]

    @staticmethod
    def number(size: int) -> int:
        """How many batches a payload of `size` bytes has."""
        return -(-chunks.count(size) // BATCH)

    def plain(self, batch: int) -> memoryview:
        """Return the buffer of a batch's plaintext, to be filled or written."""
        return self._plain[: min(BATCH * CHUNK, self._size - batch * BATCH * CHUNK)]

    def sealed(self, batch: int) -> memoryview:
        """Return the buffer of a batch's sealed chunks, to be filled or written."""
        length = len(self.plain(batch))
        return self._sealed[: length + TAG * chunks.count(length)]

    def encrypt(self, box: ChaCha20Poly1305, batch: int) -> memoryview:
        """Seal the plaintext in the buffer; return the sealed chunks."""
        plain, sealed = self.plain(batch), self.sealed(batch)
        first, last = batch * BATCH, chunks.count(len(plain)) - 1
        pairs = zip(self._plains[:last], self._sealeds, strict=False)
        for index, (part, into) in enumerate(pairs, first):
            box.encrypt_into(chunks.number(index, False), part, None, into)
        end = chunks.number(first + last, first + last + 1 == self._total)
        box.encrypt_into(end, plain[last * CHUNK :], None, sealed[last * SEALED :])
        return sealed

    def decrypt(self, box: ChaCha20Poly1305, batch: int, name: str) -> memoryview:
        """Open the chunks in the buffer; return the plaintext. Raises Tampered."""
        plain, sealed = self.plain(batch), self.sealed(batch)
        first, last = batch * BATCH, chunks.count(len(plain)) - 1
        final = first + last + 1 == self._total
        index, part, into = first, sealed, plain
        try:
            pairs = zip(self._sealeds[:last], self._plains, strict=False)
            for index, (part, into) in enumerate(pairs, first):
                box.decrypt_into(chunks.number(index, False), part, None, into)
            index, part, into = first + last, sealed[last * SEALED :], plain[last * CHUNK :]
            box.decrypt_into(chunks.number(index, final), part, None, into)
        except InvalidTag:
            last_of_all = index == self._total - 1
            raise chunks.damage(name, box, index, last_of_all, part) from None
        return plain
