"""Bytes of one file, wherever they lie: read by offset, within bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from security.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one member of a container: `name` is its path, members after "!/".

    `read(at, count)` gives the bytes from `at` on: fewer than `count` only at the end of `size`.
    """

    name: str
    size: int
    read: Callable[[int, int], bytes]

    @property
    def base(self) -> str:
        """The last part of the name, lower case: what loaders go by."""
        return self.name.replace("!/", "/").rpartition("/")[2].lower()

    def part(self, name: str, start: int, end: int) -> Source:
        """Return a range of this file as a file of its own."""
        size = end - start

        def read(at: int, count: int) -> bytes:
            return self.read(start + at, max(0, min(count, size - at)))

        return Source(name, size, read)


def of_bytes(name: str, data: bytes) -> Source:
    """Return bytes as a file."""
    return Source(name, len(data), lambda at, count: data[at : at + count])


def of_descriptor(name: str, fd: int) -> Source:
    """Return an open regular file; reading raises Unreadable where it was cut short meanwhile."""
    size = os.fstat(fd).st_size

    def read(at: int, count: int) -> bytes:
        wanted = max(0, min(count, size - at))
        parts: list[bytes] = []
        while wanted:
            got = os.pread(fd, wanted, at)
            if not got:
                raise Unreadable(f"{name} was cut short while it was read", "try again")
            parts.append(got)
            at, wanted = at + len(got), wanted - len(got)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return Source(name, size, read)
