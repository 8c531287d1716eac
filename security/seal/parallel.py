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


class Gate:
    """Threads at work inside, and nobody once it is closed.

    A pool does not wait for a thread whose start an interrupt cut short. It would go on with
    descriptors that are closed by then, and write to whatever file has their numbers next.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False

    def enter(self) -> bool:
        """Go in; False where it is closed, and nothing is to be done."""
        with self._changed:
            self._inside += not self._closed
            return not self._closed

    def leave(self) -> None:
        """Go out."""
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more, and wait until all are out, interrupted or not."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                with self._changed:
                    self._closed = True
                    self._changed.wait_for(lambda: not self._inside)
                break
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt:
            raise interrupt


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

    gate = Gate()

    def guarded() -> None:
        if not gate.enter():
            return
        try:
            loop()
        except BaseException:
            turns.stop()
            raise
        finally:
            gate.leave()

    threads = min(usable(jobs), batches)
    if threads == 1:
        loop()
        return
    try:
        with ThreadPoolExecutor(threads, "seal") as pool:
            try:
                futures = [pool.submit(guarded) for _ in range(threads)]
                errors = [error for future in futures if (error := future.exception())]
            except BaseException:  # an interrupt while we waited
                turns.stop()
                raise
    finally:
        gate.close()
    for error in sorted(errors, key=lambda found: isinstance(found, Stopped)):
        raise error
