"""A lock on a file: it excludes other threads and other processes, and ends with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.errors import CouldNotTell

POLL = 0.05  # seconds


@contextlib.contextmanager
def locked(
    path: Path,
    *,
    seconds: float,
    shared: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Hold the lock of a file, which stays. Raises CouldNotTell after `seconds` of waiting."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(opened, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, path, seconds, cancelled)
        yield
    finally:
        os.close(opened)


def _take(
    opened: int, kind: int, path: Path, seconds: float, cancelled: Callable[[], bool]
) -> None:
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(opened, kind | fcntl.LOCK_NB)
        if cancelled():
            raise CouldNotTell("cancelled", "run it again if it is still wanted")
        if time.monotonic() >= until:
            raise CouldNotTell(f"{path.stem} is in use", "run it again later")
        time.sleep(POLL)
