"""A place in a binary file that only moves forward, within bounds set before anything is read."""

from __future__ import annotations

from security.errors import Malformed, TooLarge
from security.scan.source import Source

AHEAD = 4_096  # bytes read at once, so that many small fields cost few reads


class Cursor:
    """Reads numbers and bytes of `source` from `at` up to `end`, at most `budget` bytes in all.

    Raises Malformed beyond the end, TooLarge beyond the budget.
    """

    def __init__(
        self, source: Source, at: int, end: int, *, order: str = "little", budget: int = 1 << 40
    ) -> None:
        self._source = source
        self._held = b""
        self._from = at
        self._left = budget
        self.at = at
        self.end = min(end, source.size)
        self.big = order == "big"

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count < 0 or self.at + count > self.end:
            raise self.broken(f"{count:,} bytes are due at byte {self.at:,}, where it ends")
        self._left -= count
        if self._left < 0:
            raise TooLarge(f"{self._source.name}: too much to be read of its structure", HINT)
        start = self.at - self._from
        if start < 0 or start + count > len(self._held):
            wanted = min(max(count, AHEAD), self.end - self.at)
            self._held, self._from, start = self._source.read(self.at, wanted), self.at, 0
        self.at += count
        return self._held[start : start + count]

    def skip(self, count: int) -> None:
        """Go on without reading."""
        if count < 0 or self.at + count > self.end:
            raise self.broken(f"{count:,} bytes are due at byte {self.at:,}, where it ends")
        self.at += count

    def number(self, size: int) -> int:
        """Return an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "big" if self.big else "little")

    def align(self, step: int, start: int = 0) -> None:
        """Go on to the next multiple of `step`, counted from `start`."""
        self.skip(-(self.at - start) % step)

    def broken(self, what: str) -> Malformed:
        """Return the error for what is wrong with this file."""
        return Malformed(f"{self._source.name}: {what}", HINT)


HINT = "write the file again with the format's own library"
