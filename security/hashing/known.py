"""Digests of an earlier run, believed for files that did not change since.

A hint that saves signers reading: verification never uses it. Who may write the state file, set
the clock back or write to the disk itself can make it lie.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from security import storing, strictjson
from security.hashing.walk import File, Stamp
from security.manifest import SHA256, Entry, TensorDigest

VERSION = 1
LIMIT = 500_000_000  # bytes of a state file
# A file changed in the same tick of the clock in which it was read keeps its times: what is
# younger than this when reading begins is read again next time (racy timestamps, as git has them).
FINE, COARSE = 50_000_000, 2_000_000_000  # ns: ticks of the kernel, and of file systems of seconds


class Known:
    """What is known of a model's files: asked and replaced by `measure`, kept by `save`."""

    def __init__(self, path: Path) -> None:
        """Nothing is known yet; `path` is where `save` writes."""
        self.path = path
        self._before: dict[Stamp, Entry] = {}
        self._after: dict[Stamp, Entry] = {}
        self._tensors = (False, False)  # whether those were asked for: before, after
        self._began = 0

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what an earlier run saved; whatever cannot be believed is nothing."""
        known = cls(path)
        try:
            known._after, known._tensors = _read(path)
        except (OSError, ValueError, KeyError, TypeError):
            known._after = {}
        return known

    def begin(self, *, tensors: bool) -> None:
        """Start a run: from here on `keep` tells the next one."""
        self._before, self._after = self._after, {}
        self._tensors = (self._tensors[1], tensors)
        self._began = time.time_ns()

    def entry(self, file: File) -> Entry | None:
        """Return what is known of a file in this state; None if it must be read."""
        found = self._before.get(file.stamp)
        had, wanted = self._tensors
        if found is None or (wanted and not had):
            return None
        tensors = found.tensors if wanted else ()
        return Entry(file.path, found.size, found.digest, SHA256, tensors)

    def keep(self, pairs: Iterable[tuple[File, Entry]]) -> None:
        """Remember these files for the next run, but those that may yet change unseen."""
        for file, entry in pairs:
            tick = FINE if file.stamp.ctime % 10**9 else COARSE
            if max(file.stamp.mtime, file.stamp.ctime) + tick < self._began:
                self._after[file.stamp] = entry

    def save(self) -> None:
        """Write the state, readable by its owner only. Raises WriteFailed."""
        files = [
            [*stamp, entry.digest, [[t.name, t.digest] for t in entry.tensors]]
            for stamp, entry in self._after.items()
        ]
        state = {"version": VERSION, "tensors": self._tensors[1], "files": files}
        data = json.dumps(state, separators=(",", ":")).encode()
        storing.write(self.path, data, mode=0o600)


def _read(path: Path) -> tuple[dict[Stamp, Entry], tuple[bool, bool]]:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise ValueError("not a file of ours")
        if found.st_mode & 0o022 or found.st_size > LIMIT:
            raise ValueError("writable by others, or too large")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(LIMIT)
    finally:
        os.close(fd)
    state = strictjson.loads(data, limit=LIMIT)
    if not isinstance(state, dict) or state.keys() != {"version", "tensors", "files"}:
        raise ValueError("not a state")
    if state["version"] != VERSION:
        raise ValueError("another version")
    tensors = state["tensors"]
    if type(tensors) is not bool:
        raise ValueError("tensors is not true or false")
    return dict(map(_row, state["files"])), (tensors, tensors)


def _row(row: Any) -> tuple[Stamp, Entry]:
    *numbers, digest, tensors = row
    if len(numbers) != 5 or not all(type(number) is int for number in numbers):
        raise ValueError("a stamp is five numbers")
    stamp = Stamp(*numbers)
    found = tuple(TensorDigest(_text(name), _hex(value)) for name, value in tensors)
    return stamp, Entry("", stamp.size, _hex(digest), SHA256, found)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _hex(value: Any) -> str:
    if len(_text(value)) != 64 or value.strip("0123456789abcdef"):
        raise ValueError("not a digest")
    return str(value)
