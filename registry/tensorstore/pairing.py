"""What files on their way through the store share: digests two at once, and memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType

from security.hashing.digests import FAST, Hash

Batch = list[tuple[Hash, memoryview]]


class Pairs:
    """Threads that feed SHA-256. Where a core can feed two at once, few: so that two wait."""

    def __init__(self, jobs: int) -> None:
        self._pool = ThreadPoolExecutor(max(1, jobs // 4) if FAST.paired else jobs)
        self._open: tuple[Batch, Future[None]] | None = None  # waits, and has room for another
        self._lock = threading.Lock()

    def __enter__(self) -> Pairs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def new(self) -> Hash:
        """Begin a digest."""
        return FAST.new()

    def feed(self, digest: Hash, data: memoryview) -> Future[None]:
        """Give bytes to a digest; they, and it, are in use until the result is there."""
        with self._lock:
            if self._open:
                (batch, future), self._open = self._open, None
                batch.append((digest, data))
                return future
            batch = [(digest, data)]
            future = self._pool.submit(self._work, batch)
            if FAST.paired:
                self._open = batch, future
            return future

    def _work(self, batch: Batch) -> None:
        with self._lock:
            if self._open and self._open[0] is batch:
                self._open = None
        match batch:
            case [(one, data), (other, more)]:
                FAST.both(one, data, other, more)
            case _:
                for digest, data in batch:
                    digest.update(data)


class Rooms:
    """Memory for windows of files: what one file is done with the next one takes."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []
        self._lock = threading.Lock()

    @contextmanager
    def one(self, size: int) -> Iterator[memoryview]:
        """Give room for `size` bytes."""
        with self._lock:
            room = self._free.pop() if self._free else bytearray()
        if len(room) < size:
            room = bytearray(size)
        yield memoryview(room)[:size]
        with self._lock:
            self._free.append(room)
