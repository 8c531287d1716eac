"""A payload from one open file into another: threads, constant memory, no byte unauthenticated.

Each thread reads a batch into a buffer of its own, works from there into a second one, and writes
that: a file changed or cut short meanwhile cannot slip past the tags, nor kill us as a mapped
one would.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from security.errors import Unreadable
from security.seal import parallel
from security.seal.batch import BATCH, Batch
from security.seal.chunks import CHUNK, SEALED
from security.storing import put

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
    _read_ahead(ends.source)

    def worker(turns: parallel.Turns) -> parallel.Step:
        buffers = Batch(size)

        def step(batch: int) -> int:
            plain = buffers.plain(batch)
            fill(ends.name, ends.source, plain, ends.source_at + batch * BATCH * CHUNK)
            if tap:
                with turns.wait(batch):
                    tap(plain)
            sealed = buffers.encrypt(box, batch)
            put(ends.target, sealed, ends.target_at + batch * BATCH * SEALED)
            return len(plain)

        return step

    parallel.run(Batch.number(size), worker, jobs=jobs, size=size, progress=progress)


def decrypt(
    box: ChaCha20Poly1305,
    ends: Ends,
    size: int,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> None:
    """Open a payload that holds `size` bytes; each batch is proven before it is written.

    Its last chunk has to be the final one. Raises Tampered, Unreadable, OSError of the target.
    """
    _read_ahead(ends.source)

    def worker(_: parallel.Turns) -> parallel.Step:
        buffers = Batch(size)

        def step(batch: int) -> int:
            at = ends.source_at + batch * BATCH * SEALED
            fill(ends.name, ends.source, buffers.sealed(batch), at)
            plain = buffers.decrypt(box, batch, ends.name)
            put(ends.target, plain, ends.target_at + batch * BATCH * CHUNK)
            return len(plain)

        return step

    parallel.run(Batch.number(size), worker, jobs=jobs, size=size, progress=progress)


def reencrypt(
    boxes: tuple[ChaCha20Poly1305, ChaCha20Poly1305],
    ends: Ends,
    size: int,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> None:
    """Seal a payload again under another key; the plaintext is in memory only, as in `decrypt`."""
    old, new = boxes
    _read_ahead(ends.source)

    def worker(_: parallel.Turns) -> parallel.Step:
        buffers = Batch(size)

        def step(batch: int) -> int:
            at = batch * BATCH * SEALED
            fill(ends.name, ends.source, buffers.sealed(batch), ends.source_at + at)
            length = len(buffers.decrypt(old, batch, ends.name))
            put(ends.target, buffers.encrypt(new, batch), ends.target_at + at)
            return length

        return step

    parallel.run(Batch.number(size), worker, jobs=jobs, size=size, progress=progress)


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


def _read_ahead(fd: int) -> None:
    """Ask the system to read further ahead: a cold file comes a third faster."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
