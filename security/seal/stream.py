"""A payload from one open file into another: threads, constant memory, no byte unauthenticated.

Each thread reads a batch into a buffer of its own, works from there into a second one, and writes
that: a file changed or cut short meanwhile cannot slip past the tags, nor kill us as a mapped
one would.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from security.errors import Unreadable
from security.seal import chunks, parallel
from security.seal.chunks import CHUNK, SEALED, TAG
from security.storing import put

BATCH = 16  # chunks: both buffers stay within the second cache of a core

Progress = Callable[[int, int], None]  # bytes of plaintext done, of all; from any thread
Tap = Callable[[memoryview], None]  # sees the plaintext in order, before it is sealed


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a payload's chunks go from and to: descriptors, and offsets of their first bytes."""

    name: str  # of the source, for errors
    source: int
    target: int
    source_at: int = 0
    target_at: int = 0


def encrypt(
    box: ChaCha20Poly1305,
    ends: Ends,
    size: int,
    *,
    jobs: int = 0,
    tap: Tap | None = None,
    progress: Progress | None = None,
) -> None:
    """Seal `size` bytes. Raises Unreadable where the source is shorter, OSError of the target."""
    total = chunks.count(size)

    def worker(turns: parallel.Turns) -> parallel.Step:
        plain = memoryview(bytearray(min(BATCH * CHUNK, size)))
        sealed = memoryview(bytearray(min(BATCH, total) * SEALED))
        pairs = _pairs(plain, CHUNK, sealed, SEALED)

        def step(batch: int) -> int:
            first, at = batch * BATCH, batch * BATCH * CHUNK
            length = min(BATCH * CHUNK, size - at)
            fill(ends.name, ends.source, plain[:length], ends.source_at + at)
            if tap:
                with turns.wait(batch):
                    tap(plain[:length])
            end = first + chunks.count(length)
            for index, (part, into) in zip(range(first, end - 1), pairs, strict=False):
                box.encrypt_into(chunks.number(index, False), part, None, into)
            done = (end - 1 - first) * SEALED  # the last of a batch may be short, or final
            part = plain[(end - 1 - first) * CHUNK : length]
            into = sealed[done : done + len(part) + TAG]
            box.encrypt_into(chunks.number(end - 1, end == total), part, None, into)
            put(ends.target, sealed[: done + len(into)], ends.target_at + first * SEALED)
            return length

        return step

    parallel.run(-(-total // BATCH), worker, jobs=jobs, size=size, progress=progress)


def decrypt(
    box: ChaCha20Poly1305,
    ends: Ends,
    size: int,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> None:
    """Open a payload that holds `size` bytes, of which none is written before its batch is proven.

    The last chunk has to be the final one. Raises Malformed, Unreadable, OSError of the target.
    """
    total = chunks.count(size)

    def worker(_: parallel.Turns) -> parallel.Step:
        sealed = memoryview(bytearray(min(BATCH, total) * SEALED))
        plain = memoryview(bytearray(min(BATCH * CHUNK, size)))
        pairs = _pairs(sealed, SEALED, plain, CHUNK)

        def step(batch: int) -> int:
            first, at = batch * BATCH, batch * BATCH * CHUNK
            length = min(BATCH * CHUNK, size - at)
            end = first + chunks.count(length)
            given = sealed[: length + TAG * (end - first)]
            fill(ends.name, ends.source, given, ends.source_at + first * SEALED)
            index, part = first, given
            try:
                for index, (part, into) in zip(range(first, end - 1), pairs, strict=False):
                    box.decrypt_into(chunks.number(index, False), part, None, into)
                index, part = end - 1, given[(end - 1 - first) * SEALED :]
                into = plain[(end - 1 - first) * CHUNK : length]
                box.decrypt_into(chunks.number(index, end == total), part, None, into)
            except InvalidTag:
                raise chunks.damage(ends.name, box, index, index == total - 1, part) from None
            put(ends.target, plain[:length], ends.target_at + at)
            return length

        return step

    parallel.run(-(-total // BATCH), worker, jobs=jobs, size=size, progress=progress)


def fill(name: str, fd: int, into: memoryview, at: int) -> None:
    """Fill a buffer from an offset on. Raises Unreadable."""
    while into:
        try:
            got = os.preadv(fd, [into], at)
        except OSError as error:
            why = error.strerror or str(error)
            raise Unreadable(f"{name} cannot be read ({why})", "check the file and disk") from error
        if not got:
            raise Unreadable(f"{name} was cut short while it was read", "try again")
        into, at = into[got:], at + got


def _pairs(
    source: memoryview, one: int, target: memoryview, other: int
) -> list[tuple[memoryview, memoryview]]:
    """Return the whole chunks of two buffers, made once: slicing costs as much as a call."""
    return [
        (source[i * one : (i + 1) * one], target[i * other : (i + 1) * other]) for i in range(BATCH)
    ]
