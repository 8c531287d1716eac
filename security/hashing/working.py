"""Many files through digests: in parallel, the largest first, two at once on a core that can."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from security.hashing.digests import Algorithm, Hash
from security.hashing.digests import algorithm as of_name
from security.hashing.reading import buffer, opened, pieces
from security.hashing.sinks import Beside, Plain, Shards, Sink, Tensors, is_safetensors
from security.hashing.walk import File, Tree
from security.manifest import SHA256, Entry

# Small files cost more of the interpreter, which threads share, than of digests: what lies beyond
# SMALL bytes of each file counts, and each WORTH of that is worth one more thread.
SMALL, WORTH = 64 << 10, 4 << 20
Progress = Callable[[int, int], None]
Judge = Callable[[File, tuple[Entry, ...]], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of each file, with how many threads; `progress` is told bytes done, of all.

    `beside` gives another digest in the making for a path, None for none: it is fed too.
    """

    algorithm: Algorithm
    shard: int = 0
    tensors: bool = False
    jobs: int = 0
    progress: Progress | None = None
    beside: Callable[[str], Hash | None] | None = None

    def sink(self, file: File, first: memoryview) -> Sink:
        """Return what takes this file's bytes, which begin with `first`."""
        made = self._own(file, first)
        other = self.beside(file.path) if self.beside else None
        return Beside(made, other) if other else made

    def _own(self, file: File, first: memoryview) -> Sink:
        if self.shard:
            return Shards(file, self.algorithm, self.shard)
        if self.tensors and is_safetensors(first, file.stamp.size):
            return Tensors(file, self.algorithm, of_name(SHA256))
        return Plain(file, self.algorithm)


def digest_open(
    fd: int, file: File, plan: Plan, keep: Callable[[memoryview], None] | None = None
) -> tuple[Entry, ...]:
    """Return the entries of one open file, each piece given to `keep` too. Raises Unreadable."""
    os.lseek(fd, 0, os.SEEK_SET)
    sink: Sink | None = None
    for piece in pieces(fd, file, buffer()):
        sink = sink or plan.sink(file, piece)
        sink.feed(piece)
        if keep:
            keep(piece)
    return (sink or plan.sink(file, memoryview(b""))).entries()


def digest_one(tree: Tree, file: File, plan: Plan) -> tuple[Entry, ...]:
    """Return the entries of one file that the walk found. Raises Unreadable."""
    fd = opened(tree, file)
    try:
        return digest_open(fd, file, plan)
    finally:
        os.close(fd)


def digest_all(
    tree: Tree, files: Sequence[File], plan: Plan, judge: Judge | None = None
) -> dict[str, tuple[Entry, ...]]:
    """Return the entries of each file by its path, each judged as soon as it is known.

    The first error, the judge's too, ends all work. Raises Unreadable.
    """
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    order = sorted(files, key=lambda file: file.stamp.size, reverse=True)
    total = sum(file.stamp.size for file in order)
    jobs = plan.jobs or len(os.sched_getaffinity(0))
    large = sum(file.stamp.size - SMALL for file in order if file.stamp.size > SMALL)
    jobs = max(1, min(jobs, len(order), 1 + large // WORTH))
    work = _Work(order, plan, jobs, judge)
    with ThreadPoolExecutor(jobs, "digest") as pool:
        try:
            running = {pool.submit(work.run, tree.copy()) for _ in range(jobs)}
            while running:
                timeout = 0.1 if plan.progress else None
                done, running = wait(running, timeout, FIRST_EXCEPTION)
                if plan.progress:
                    plan.progress(work.done, total)
                for future in done:
                    future.result()
        finally:
            work.stop = True
    return work.found


class _Lane:
    """One file on its way: `data` is its next piece, None after the last."""

    __slots__ = ("_fd", "_pieces", "data", "file", "room", "sink")

    def __init__(self, tree: Tree, file: File, plan: Plan, room: memoryview) -> None:
        self.file = file
        self.room = room
        self._fd = opened(tree, file)
        self._pieces = pieces(self._fd, file, room)
        self.data: memoryview | None = None
        try:
            self.step()
            self.sink = plan.sink(file, room[:0] if self.data is None else self.data)
        except BaseException:
            self.close()
            raise

    def step(self) -> None:
        """Read the next piece, over the last one."""
        self.data = next(self._pieces, None)
        if self.data is None:
            self.close()

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class _Work:
    """What the threads share. Each takes the next file as it has room for one."""

    def __init__(self, order: Sequence[File], plan: Plan, jobs: int, judge: Judge | None) -> None:
        self.found: dict[str, tuple[Entry, ...]] = {}
        self.done = 0  # bytes
        self.stop = False
        self._plan = plan
        self._judge = judge
        self._waiting = iter(order)
        self._idle = jobs  # threads without a file yet: they come before anybody's second one
        self._lock = threading.Lock()

    def run(self, tree: Tree) -> None:
        """Work until no file is left, or until another thread failed."""
        lanes: list[_Lane] = []
        rooms = [buffer() for _ in range(2 if self._plan.algorithm.paired else 1)]
        try:
            file = self._next(first=True)
            while not self.stop:
                while rooms and (file or (file := self._next())):
                    lanes.append(_Lane(tree, file, self._plan, rooms.pop()))
                    file = None
                if not lanes:
                    break
                self._feed(lanes)
                for lane in [lane for lane in lanes if lane.data is None]:
                    self._end(lane)
                    lanes.remove(lane)
                    rooms.append(lane.room)
        finally:
            for lane in lanes:
                lane.close()
            tree.close()

    def _next(self, *, first: bool = False) -> File | None:
        with self._lock:
            self._idle -= first
            return next(self._waiting, None) if first or not self._idle else None

    def _feed(self, lanes: list[_Lane]) -> None:
        """Give the next piece of one or two files to their digests, and read on."""
        now = [lane for lane in lanes if lane.data is not None]
        single = next((lane for lane in now if not isinstance(lane.sink, Plain)), None)
        if single or len(now) == 1:
            now = [single or now[0]]  # tensors use two digests at once already
        with self._lock:
            self.done += sum(len(lane.data or b"") for lane in now)
        match now:
            case [_Lane(data=memoryview() as data, sink=sink)]:
                sink.feed(data)
            case [
                _Lane(data=memoryview() as data, sink=Plain(hash=one)),
                _Lane(data=memoryview() as more, sink=Plain(hash=other)),
            ]:
                self._plan.algorithm.both(one, data, other, more)
        for lane in now:
            lane.step()

    def _end(self, lane: _Lane) -> None:
        entries = lane.sink.entries()
        if self._judge:
            self._judge(lane.file, entries)
        with self._lock:
            self.found[lane.file.path] = entries
