"""DVC's md5 of large files, eight side by side: one at a time they cost most of a release."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from registry.tensorstore import naming
from registry.tensorstore.naming import LANES
from security.hashing.reading import changed, opened, pieces
from security.hashing.walk import File, Tree, stamp, unreadable

LARGE = 1 << 20  # bytes: of smaller files the interpreter costs more than their md5
PIECE = 128 << 10  # bytes: eight of them fit the second cache of a core


def worth(root: Path, paths: Iterable[str]) -> dict[str, File]:
    """Return the files whose md5 costs less side by side, in a reading of their own.

    Those are three or more large files of about one size: a long one would end up alone, in lanes
    that are slower than hashlib. What half of the memory does not hold would come from the disk
    twice, which costs more than it spares. None without the C extension. Raises OSError.
    """
    if naming.SIDE is naming.PLAIN:
        return {}
    found = {path: File(path, os.fsencode(path), stamp((root / path).lstat())) for path in paths}
    least = max(LARGE, max((file.stamp.size for file in found.values()), default=0) // 2)
    found = {path: file for path, file in found.items() if file.stamp.size >= least}
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if len(found) < naming.FEW or sum(f.stamp.size for f in found.values()) > memory // 2:
        return {}
    return found


@contextmanager
def running(
    root: Path, files: Mapping[str, File], *, jobs: int = 0
) -> Iterator[Callable[[], dict[str, str]]]:
    """Hash files in threads of their own; what is yielded waits for the md5 of each, by its path.

    A thread takes eight at once; there are more where that fills them, up to half of `jobs` (0:
    of the cores). Leaving early ends them. It raises Unreadable for a file that changes meanwhile.
    """
    cores = jobs or len(os.sched_getaffinity(0))
    count = max(1, min(cores // 2, len(files) // LANES))
    order = sorted(files.values(), key=lambda file: file.stamp.size, reverse=True)
    stop = threading.Event()
    with Tree.of(root) as tree, ThreadPoolExecutor(count, "md5") as pool:
        work = [
            pool.submit(_run, tree.copy(), order[part::count], stop)
            for part in range(count)
            if order
        ]
        try:
            yield lambda: {path: name for one in work for path, name in one.result().items()}
        finally:
            stop.set()


def still(root: Path, files: Iterable[File]) -> None:
    """Raise Unreadable unless files are as they were found: two readings of others may differ."""
    for file in files:
        try:
            same = stamp((root / file.path).lstat()) == file.stamp
        except OSError as error:
            raise unreadable(file.name, error) from error
        if not same:
            raise changed(file.name)


class _Lane:
    """A file on its way: `data` is its next piece, None after the last."""

    __slots__ = ("_fd", "_pieces", "data", "made", "path", "room")

    def __init__(self, tree: Tree, file: File, room: memoryview) -> None:
        self.path, self.room, self.made = file.path, room, naming.SIDE.new()
        self._fd = opened(tree, file)
        self._pieces = pieces(self._fd, file, room)
        self.data: memoryview | None = room[:0]

    def step(self) -> None:
        """Read the next piece, over the last one."""
        self.data = next(self._pieces, None)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _run(tree: Tree, files: Iterable[File], stop: threading.Event) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting, lanes = deque(files), list[_Lane]()
    rooms = [memoryview(bytearray(PIECE)) for _ in range(LANES)]
    try:
        while (waiting or lanes) and not stop.is_set():
            while waiting and rooms:
                lanes.append(_Lane(tree, waiting.popleft(), rooms.pop()))
            for lane in lanes:
                lane.step()
            now = [(lane.made, lane.data) for lane in lanes if lane.data is not None]
            naming.SIDE.feed(tuple(made for made, _ in now), tuple(data for _, data in now))
            for lane in [lane for lane in lanes if lane.data is None]:
                found[lane.path] = lane.made.hexdigest()
                lanes.remove(lane)
                rooms.append(lane.room)
                lane.close()
    finally:
        for lane in lanes:
            lane.close()
        tree.close()
    return found
