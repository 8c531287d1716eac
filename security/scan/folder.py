"""The files of a folder, by descriptor: no link is followed, nothing is opened by path twice."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from security.errors import Unreadable
from security.scan.dryrun import Booth
from security.scan.findings import printable
from security.scan.source import Source, of_descriptor
from security.scan.values import Limits, Scanned, Threat

DEPTH = 64  # folders in folders
AHEAD = 4  # files per job that wait to be given


class Scan(Protocol):
    """How one file is judged."""

    def __call__(self, source: Source, limits: Limits = ..., booth: Booth | None = ...) -> Scanned:
        """Judge it."""


def scan(root: Path, jobs: int, judge: Scan) -> Iterator[Scanned]:
    """Judge every file below `root` in the order of their paths. Raises Unreadable for `root`."""
    jobs = jobs or min(8, len(os.sched_getaffinity(0)))
    waiting: deque[tuple[Future[Scanned], Scanned | tuple[str, int]]] = deque()
    with ExitStack() as stack:
        booths: SimpleQueue[Booth] = SimpleQueue()
        for _ in range(jobs):
            booths.put(stack.enter_context(Booth()))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        try:
            for found in _walk(_open_folder(root), root, "", 0):
                waiting.append((pool.submit(_one, found, judge, booths), found))
                while len(waiting) > jobs * AHEAD:
                    yield waiting.popleft()[0].result()
            while waiting:
                yield waiting.popleft()[0].result()
        finally:
            for future, found in waiting:
                if future.cancel() and not isinstance(found, Scanned):
                    os.close(found[1])


def _one(found: Scanned | tuple[str, int], judge: Scan, booths: SimpleQueue[Booth]) -> Scanned:
    """Judge one open file, and close it."""
    if isinstance(found, Scanned):
        return found
    path, fd = found
    booth = booths.get()
    try:
        return judge(of_descriptor(path, fd), booth=booth)
    finally:
        booths.put(booth)
        os.close(fd)


def _open_folder(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"{root}: {error.strerror}", "name a folder that you may read") from error


def _walk(folder: int, root: Path, prefix: str, depth: int) -> Iterator[Scanned | tuple[str, int]]:
    """Yield open files and judgements on what is none. Closes `folder`."""
    try:
        for name in sorted(os.listdir(folder)):
            path = prefix + name
            try:
                kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                if stat.S_ISLNK(kind):
                    yield _link(path, os.readlink(name, dir_fd=folder))
                elif stat.S_ISDIR(kind):
                    yield from _below(folder, name, root, path, depth)
                elif stat.S_ISREG(kind):
                    yield path, _open(folder, name)
                else:
                    yield _doubt(path, "link", "is a device, a pipe or a socket")
            except OSError as error:
                yield _doubt(path, "unreadable", error.strerror or str(error))
    finally:
        os.close(folder)


def _below(
    folder: int, name: str, root: Path, path: str, depth: int
) -> Iterator[Scanned | tuple[str, int]]:
    if depth >= DEPTH:
        yield _doubt(path, "limit", f"lies more than {DEPTH} folders deep")
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    yield from _walk(os.open(name, flags, dir_fd=folder), root, path + "/", depth + 1)


def _open(folder: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(name, flags, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # exchanged since it was looked at
        os.close(fd)
        raise OSError(0, "changed while it was read")
    return fd


def _link(path: str, target: str) -> Scanned:
    """Judge a link by its text alone: what it names may be exchanged at any time."""
    parts = path.split("/")[:-1]
    for part in target.split("/"):
        if part == ".." and not parts:
            return _leaves(path, target)
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if target.startswith("/"):
        return _leaves(path, target)
    return Scanned(path, "link", 0, (), printable(f"a link to {target}, which is judged itself"))


def _leaves(path: str, target: str) -> Scanned:
    what = printable(f"is a link that leaves the folder, to {target}")
    return Scanned(path, "link", 0, (Threat("link", path, -1, what),))


def _doubt(path: str, rule: str, what: str) -> Scanned:
    return Scanned(path, "unknown", 0, (Threat(rule, path, -1, what, certain=False),))
