"""Batches of one file on several threads: numbered, taken in order, stopped by the first error."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

MOST_JOBS = 64

Step = Callable[[int], int]  # does one batch and returns its bytes
Worker = Callable[["Turns"], Step]  # one for each thread, which has its own buffers


class Stopped(Exception):
    """Another thread failed; its error is the one to be told."""


class Turns:
    """Lets threads do one part of their batches in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._stopped = False

    @contextmanager
    def wait(self, batch: int) -> Iterator[None]:
        """Hold back until all batches before this one were here. Raises Stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._next == batch)
            if self._stopped:
                raise Stopped
        yield
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is to be done."""
        return self._stopped


def usable(jobs: int) -> int:
    """Return how many threads to use: as many as asked for, 0 for the cores we may run on."""
    return max(1, min(jobs or len(os.sched_getaffinity(0)), MOST_JOBS))


def run(
    batches: int,
    worker: Worker,
    *,
    jobs: int,
    size: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Do all batches. The first error of any of them is raised, after all threads have ended."""
    turns, lock, numbers, done = Turns(), threading.Lock(), iter(range(batches)), 0

    def loop() -> None:
        nonlocal done
        step = worker(turns)
        while not turns.stopped:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            length = step(number)
            if progress:
                with lock:
                    done += length
                    progress(done, size)

    def guarded() -> None:
        try:
            loop()
        except BaseException:
            turns.stop()
            raise

    threads = min(usable(jobs), batches)
    if threads == 1:
        loop()
        return
    with ThreadPoolExecutor(threads, "seal") as pool:
        try:
            futures = [pool.submit(guarded) for _ in range(threads)]
            errors = [error for future in futures if (error := future.exception())]
        except BaseException:  # an interrupt while we waited
            turns.stop()
            raise
    for error in sorted(errors, key=lambda found: isinstance(found, Stopped)):
        raise error
