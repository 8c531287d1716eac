"""Word sequences of evaluation items, found in a stream of words by hashes and then for certain.

Hashes are those of this process (a stranger cannot choose words that collide); every hit is
compared word by word, so that none is a collision.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.data.items import TEMPLATE, Needle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Numbers = NDArray[np.int64]
    Entries = tuple[Hashes, Numbers, Numbers]  # hash, number of the needle, start in it

_FACTOR = 0x9E3779B97F4A7C15  # odd: 2**64 over the golden ratio
_FILTER = 22  # bits of the table that rules most sequences out
_TRIES = 4  # places of one hash in a batch that are compared


@dataclass(frozen=True, slots=True)
class Hit:
    """A sequence of a needle (its number, start, length) at a word of the stream."""

    needle: int
    start: int
    length: int
    at: int


class Index:
    """The sequences of all needles, by length. Not changed by searches.

    `unjudged` counts the needles of which nothing is looked for: too short, or all template.
    """

    def __init__(self, needles: Sequence[Needle], n: int) -> None:
        self.needles = tuple(needles)
        self.n = n
        self.equal = {m.equal: number for number, m in enumerate(self.needles) if m.equal}
        self.tables: dict[int, Table] = {}
        entries: dict[int, list[Entries]] = {}
        for number, needle in enumerate(self.needles):
            for length, found in _entries(number, needle, n):
                entries.setdefault(length, []).append(found)
        judged = set(self.equal.values())
        for length, some in sorted(entries.items()):
            table = Table(length, some, self.needles)
            if len(table.hashes):
                self.tables[length] = table
                judged.update(table.numbers.tolist())
        self.unjudged = len(self.needles) - len(judged)

    @property
    def digest(self) -> str:
        """Return a digest of all that is looked for: the same on every machine."""
        hasher = hashlib.blake2b(b"%d" % self.n, digest_size=16)
        for needle in self.needles:
            hasher.update(needle.text + b"\0" + needle.equal + b"\0")
            hasher.update(f"{needle.wholes} {needle.item.source}\0{needle.item.id}\n".encode())
        return hasher.hexdigest()


def _entries(number: int, needle: Needle, n: int) -> Iterator[tuple[int, Entries]]:
    import numpy as np

    hashes = hashed(needle.text.split(b" "))
    wanted = {n: list(needle.starts)} if needle.starts else {}
    for start, length in needle.wholes:
        wanted.setdefault(length, []).append(start)
    for length, starts in wanted.items():
        places = np.array(starts, np.int64)
        yield length, (rolled(hashes, length)[places], np.full(len(places), number), places)


class Table:
    """All sequences of one length, sorted by hash; without those that many items share."""

    def __init__(self, length: int, entries: list[Entries], needles: Sequence[Needle]) -> None:
        import numpy as np

        hashes, numbers, starts = (np.concatenate(part) for part in zip(*entries, strict=True))
        order = np.lexsort((starts, numbers, hashes))
        hashes, numbers, starts = hashes[order], numbers[order], starts[order]
        new = np.ones(len(hashes), bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (numbers[1:] != numbers[:-1])
        _, group, counts = np.unique(hashes[new], return_inverse=True, return_counts=True)
        shared = min(TEMPLATE, max(2, len(needles) // 2))
        kept = counts[group][np.cumsum(new) - 1] <= shared
        self.length = length
        self.hashes: Hashes = hashes[kept].astype(np.uint64)
        self.numbers, self.starts = numbers[kept], starts[kept]
        self.filter = np.zeros(1 << _FILTER, bool)
        self.filter[self.hashes >> np.uint64(64 - _FILTER)] = True
        self._needles = needles
        self._split: tuple[int, list[bytes]] = (-1, [])

    def _words(self, row: int) -> list[bytes]:
        number, start = int(self.numbers[row]), int(self.starts[row])
        if self._split[0] != number:  # hits come by item, mostly
            self._split = number, self._needles[number].text.split(b" ")
        return self._split[1][start : start + self.length]

    def search(self, stream: list[bytes], hashes: Hashes, done: NDArray[np.bool_]) -> list[Hit]:
        """Return the hits of sequences not yet `done`; marks them."""
        import numpy as np

        found = rolled(hashes, self.length)
        places = np.flatnonzero(self.filter[found >> np.uint64(64 - _FILTER)])
        rows = np.searchsorted(self.hashes, found[places])
        rows[rows == len(self.hashes)] = 0
        fresh = (self.hashes[rows] == found[places]) & ~done[rows]
        hits: list[Hit] = []
        tries: Counter[int] = Counter()
        for place, row in zip(places[fresh].tolist(), rows[fresh].tolist(), strict=True):
            if done[row] or tries[row] >= _TRIES:
                continue
            tries[row] += 1
            text, same = stream[place : place + self.length], row
            while same < len(self.hashes) and self.hashes[same] == self.hashes[row]:
                if self._words(same) == text:
                    done[row] = True
                    needle, start = int(self.numbers[same]), int(self.starts[same])
                    hits.append(Hit(needle, start, self.length, place))
                same += 1
        return hits


def hashed(stream: list[bytes]) -> Hashes:
    """Return a hash for each word."""
    import numpy as np

    return np.fromiter(map(hash, stream), np.int64, len(stream)).view(np.uint64)


def rolled(hashes: Hashes, length: int) -> Hashes:
    """Return a hash of the sequence of `length` words that starts at each word."""
    import numpy as np

    count = max(0, len(hashes) - length + 1)
    total = np.zeros(count, np.uint64)
    for step in range(length):
        total *= np.uint64(_FACTOR)
        total += hashes[step : step + count]
    return total
