"""Objects that this process has hashed: one that did not change since is not hashed again.

A release reads the same gigabytes in several steps and checks. Remembered is the file's state
(device, number, size, times) under its digest, in memory alone: nothing that was written to a
disk, or that another process says, is believed. A file that was changed in the tick of the clock
in which it was read could keep its times: as with git's index, such a one is not remembered.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from security.hashing.known import COARSE, FINE
from security.hashing.walk import Stamp, stamp

MOST = 100_000  # objects


class Proofs:
    """Digests by state of file. Threads may share it."""

    def __init__(self) -> None:
        """Nothing is proven yet."""
        self._held: dict[tuple[Stamp, str], None] = {}

    def has(self, found: os.stat_result, digest: str) -> bool:
        """Whether a file in this state was hashed, and has this digest."""
        return (stamp(found), digest) in self._held

    def keep(self, before: os.stat_result, after: os.stat_result, digest: str, began: int) -> None:
        """Remember a digest of a file: its state before and after, and when (ns) reading began."""
        state = stamp(before)
        tick = FINE if state.ctime % 10**9 else COARSE
        if state != stamp(after) or max(state.mtime, state.ctime) + tick >= began:
            return
        while len(self._held) >= MOST:
            self._held.pop(next(iter(self._held)), None)
        self._held[state, digest] = None


PROOFS = Proofs()


class Reading:
    """One reading of a file by its path, from before its first byte to after its last."""

    def __init__(self, path: Path) -> None:
        """Look at the file before it is read."""
        self._path, self._before = path, path.lstat()
        self._began = time.time_ns()

    def proven(self, digest: str) -> None:
        """Remember that all of it was read, and that this is its digest."""
        PROOFS.keep(self._before, self._path.lstat(), digest, self._began)
