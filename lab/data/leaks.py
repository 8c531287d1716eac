"""Which evaluation items a file of training data holds, how much of each, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.data.grams import Hit, Index, hashed
from lab.data.items import LEAST, Item
from lab.data.records import Record
from lab.data.words import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 200_000  # words
QUOTE = 8  # words


@dataclass(frozen=True, slots=True)
class Leak:
    """An item of which `share` is in the data, first at `line`; `quote` are words of it there."""

    source: str
    id: str
    share: float
    line: int
    quote: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a record's words start in the batch; before it where the batch began in its midst."""

    start: int
    record: Record


class Search:
    """One search through the records of a file. Sequences may run from record to record."""

    def __init__(self, index: Index) -> None:
        import numpy as np

        self._index = index
        self._done = {n: np.zeros(len(t.hashes), bool) for n, t in index.tables.items()}
        self._covered: dict[int, NDArray[np.bool_]] = {}
        self._first: dict[int, tuple[int, str]] = {}
        self._stream: list[bytes] = []
        self._pieces: list[_Piece] = []
        self._keep = max(index.tables, default=1) - 1

    def add(self, record: Record) -> None:
        """Look at a record."""
        self._pieces.append(_Piece(len(self._stream), record))
        for text in record.texts:
            found = words(text)
            if len(found) < LEAST and self._index.equal:
                self._equal(b" ".join(found), record.line)
            self._stream += found
        if len(self._stream) >= BATCH:
            self._search()

    def finish(self) -> tuple[Leak, ...]:
        """Return what was found, in the order of the items."""
        self._search()
        found = []
        for number in sorted(self._first):
            needle, (line, quote) = self._index.needles[number], self._first[number]
            mask = self._covered.get(number)
            share = 1.0 if mask is None else float(mask.sum()) / needle.size
            item: Item = needle.item
            found.append(Leak(item.source, item.id, share, line, quote))
        return tuple(found)

    def _equal(self, text: bytes, line: int) -> None:
        number = self._index.equal.get(text)
        if number is not None:
            self._first.setdefault(number, (line, text.decode()))

    def _search(self) -> None:
        hashes = hashed(self._stream)
        hits = [
            hit
            for length, table in self._index.tables.items()
            for hit in table.search(self._stream, hashes, self._done[length])
        ]
        for hit in sorted(hits, key=lambda hit: hit.at):
            self._note(hit)
        # A sequence may go on in the next batch.
        cut = max(0, len(self._stream) - self._keep)
        whole = [p for p in self._pieces if p.start <= cut][-1:]
        self._pieces = [
            _Piece(p.start - cut, p.record) for p in self._pieces if p in whole or p.start > cut
        ]
        self._stream = self._stream[cut:]

    def _note(self, hit: Hit) -> None:
        import numpy as np

        needle = self._index.needles[hit.needle]
        mask = self._covered.setdefault(hit.needle, np.zeros(needle.size, bool))
        mask[hit.start : hit.start + hit.length] = True
        if hit.needle not in self._first:
            quote = b" ".join(self._stream[hit.at : hit.at + QUOTE]).decode()
            self._first[hit.needle] = (self._line(hit.at), quote)

    def _line(self, at: int) -> int:
        low, high = 0, len(self._pieces)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._pieces[middle].start <= at else (low, middle)
        piece = self._pieces[low]
        if not piece.record.prose:
            return piece.record.line
        return piece.record.line + _line_of(piece.record.texts[0], at - piece.start)


def _line_of(text: str, word: int) -> int:
    """Return the line (from 0) of a text that its word number `word` begins in."""
    lines = text.split("\n")
    low, high = 0, len(lines)
    while high - low > 1:  # words of the first `middle` lines; a broken word counts with its start
        middle = (low + high) // 2
        before = len(words("\n".join(lines[:middle])))
        low, high = (middle, high) if before <= word else (low, middle)
    return low


def search(index: Index, records: Iterable[Record]) -> tuple[Leak, ...]:
    """Return the leaks in all records."""
    found = Search(index)
    for record in records:
        found.add(record)
    return found.finish()
