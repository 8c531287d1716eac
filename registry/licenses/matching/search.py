"""Where in a text a known one may stand: found by shingles, so that the work follows the text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice, pairwise, starmap
from operator import sub

from registry.licenses.matching.index import SHINGLE, Index, shingles

_BACK = 0.5  # of a text: a place this far back begins it anew
_HEAD = 4  # times its shingles are enough to find a text that stands there often
_ALIKE = 0.85  # of the share that the likeliest has; the others come when it is struck out
_AHEAD = 8  # shingles in a row that must be so far back
_WEIGHED = 12  # texts whose places are looked at, in each order
_SLACK = 12  # words on each side that may be part of what was found
_APART, _BETWEEN = 0.3, 80  # share of a text, and words, that may stand between parts of it


@dataclass(frozen=True, slots=True)
class Place:
    """Words of the text, from `start` up to `end`, that may hold the known text `number`.

    `first` and `last` are the words between which its shingles are.
    """

    number: int
    start: int
    end: int
    first: int
    last: int
    weight: float


def _worth(dear: int, share: tuple[float, int, int]) -> float:
    """Return the words there less, `dear` - 1 times, those that are not."""
    return (dear * (share[0] - 1) + 1) * share[1]


def _chain(hits: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most places that follow each other in both texts, less those far from the rest."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for position, (_, place) in enumerate(hits):
        at = bisect_right(ends, place)
        ends[at : at + 1] = [place]
        last[at : at + 1] = [position]
        before.append(last[at - 1] if at else -1)
    chain, position = [], last[-1]
    while position >= 0:
        chain.append(hits[position])
        position = before[position]
    chain.reverse()
    first, end = 0, len(chain)
    while end - first > 1 and chain[first + 1][0] - chain[first][0] > _BETWEEN:
        first += 1
    while end - first > 1 and chain[end - 1][0] - chain[end - 2][0] > _BETWEEN:
        end -= 1
    return chain[first:end]


class Search:
    """The shingles of one text that known texts have; what was taken is struck out."""

    def __init__(self, index: Index, letters: str, skipped: frozenset[int]) -> None:
        """`letters` are the words of the text, `skipped` those that count paragraphs."""
        self._index = index
        self._length = len(letters)
        words = letters
        plain: Sequence[int] = range(len(letters))
        if skipped:
            edges = pairwise((-1, *sorted(skipped), len(letters)))
            parts = [(a + 1, b) for a, b in edges if a + 1 < b]
            words = "".join(letters[a:b] for a, b in parts)
            plain = list(chain.from_iterable(starmap(range, parts)))
        found = list(map(index.places.get, shingles(words)))
        # Of each shingle that is known the word it ends on, and its number.
        self._at = list(compress(plain[SHINGLE - 1 :], found))
        self._hits = [hit for hit in found if hit]
        # A shingle counts once: what a text says thrice does not make a longer one of it.
        self._alive = set(self._hits)
        self._counts = index.count(self._alive)

    def best(self) -> list[Place]:
        """Return the likeliest place, and those of other known texts that may stand there."""
        while True:
            shares = self._shares(self._counts)
            if not shares:
                return []
            number = max(shares, key=lambda one: (_worth(4, one), _worth(2, one), -one[2]))[2]
            most = _HEAD * self._index.totals[number]
            head = list(islice(self._hits_of(number), most))
            runs = self._runs(number, head)
            if not runs and len(head) == most:
                runs = self._runs(number, list(self._hits_of(number)))
            if runs:
                break
            self._counts[number] = 0  # scattered words, no text
        top = max(runs, key=lambda place: (place.weight, -place.start))
        return self._near(top)

    def strike(self, start: int, end: int) -> None:
        """Forget the words from `start` up to `end`."""
        first, last = bisect_left(self._at, start), bisect_left(self._at, end + SHINGLE - 1)
        gone = set(self._hits[first:last])
        del self._at[first:last], self._hits[first:last]
        self._alive = set(self._hits)
        gone -= self._alive
        if len(gone) > len(self._alive):
            self._counts = self._index.count(self._alive)
        else:
            self._counts = list(map(sub, self._counts, self._index.count(gone)))

    def _shares(self, counts: list[int]) -> list[tuple[float, int, int]]:
        """Return of known texts the share that is there, their size and number."""
        index = self._index
        least, totals, sizes = index.least, index.totals, index.sizes
        return [
            (min(1.0, hits / totals[number]), sizes[number], number)
            for number, hits in enumerate(counts)
            if hits > 1 and hits >= least[number]
        ]

    def _hits_of(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield where the shingles of a known text are, as (word, place in the known text)."""
        own = self._index.own(number)
        hits = zip(self._at, self._hits, strict=True)
        return ((word, own[hit]) for word, hit in hits if hit in own)

    def _near(self, top: Place) -> list[Place]:
        """Return this place and those of other texts where it is."""
        index = self._index
        first = bisect_left(self._at, top.start)
        last = bisect_left(self._at, min(top.end + _SLACK, self._length))
        at, hits = self._at[first:last], self._hits[first:last]
        # Those that are nearly whole first, then those of which most is there.
        local = set(hits)
        whole = len(local) == len(self._alive)
        shares = self._shares(self._counts if whole else index.count(local))
        wanted: set[int] = set()
        for dear in (4, 2):
            shares.sort(key=lambda one: (-_worth(dear, one), one[2]))
            likely = max((share for share, _, _ in shares[:3]), default=0.0) * _ALIKE
            wanted.update(n for share, _, n in shares[:_WEIGHED] if share >= likely)
        found = {top.number: top}
        for number in sorted(wanted - {top.number}):
            own = index.own(number)
            here = [(word, own[hit]) for word, hit in zip(at, hits, strict=True) if hit in own]
            runs = self._runs(number, here)
            if runs:
                found[number] = max(runs, key=lambda place: (place.weight, -place.start))
        return sorted(found.values(), key=lambda place: (-place.weight, place.number))

    def _runs(self, number: int, hits: list[tuple[int, int]]) -> list[Place]:
        """Return each stretch of the text in which the places run through the known text once."""
        total, length = self._index.totals[number], self._index.sizes[number]
        furthest, spread, back = -1, length * _APART + _BETWEEN, length * _BACK
        runs: list[list[tuple[int, int]]] = []
        before = -self._length - length  # the word before
        for order, (word, place) in enumerate(hits):
            far = word - before > spread
            # A phrase that the text says twice is found where it is said first: no new beginning.
            if (
                far
                or not runs
                or (
                    place < furthest - back
                    and all(later < furthest - back for _, later in hits[order : order + _AHEAD])
                )
            ):
                runs.append([])
                furthest = -1
            if place > furthest:
                furthest = place
            runs[-1].append((word, place))
            before = word
        if len(runs) > 1:
            runs.append(_chain(hits))  # a text that says much twice is cut into several
        found = []
        for run in runs:
            distinct = len({place for _, place in run})
            if distinct < self._index.least[number]:
                continue
            (first, early), (last, late) = run[0], run[-1]
            start = max(0, first - early - early // 4 - _SLACK)
            rest = length - late
            end = min(self._length, last + rest + rest // 4 + _SLACK)
            between = max(0, last - first - (late - early))  # words that are not its own
            weight = length / total * (2 * distinct - total) - between
            found.append(Place(number, start, end, first - SHINGLE, last + 1, weight))
        return found
