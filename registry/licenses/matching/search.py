"""Where in a text a known one may stand: found by shingles, so that the work follows the text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from registry.licenses.matching.index import SHINGLE, Index, shingles

_LEAST = 0.3  # share of a known text's shingles that make it worth a look
_LEAST_LONG = 0.12  # of a text of which half would be long
_LONG = 400  # shingles
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

    def __init__(self, index: Index, numbers: list[int], skipped: frozenset[int]) -> None:
        """`numbers` are the words of the text, `skipped` those that count paragraphs."""
        self._index = index
        self._length = len(numbers)
        plain = [i for i in range(len(numbers)) if i not in skipped] if skipped else None
        words = numbers if plain is None else [numbers[i] for i in plain]
        self._hits: dict[int, int] = {}  # word on which a shingle ends -> its postings
        for position, key in enumerate(shingles(words)):
            found = index.places.get(key)
            if found is not None:
                self._hits[position if plain is None else plain[position]] = found
        # A shingle counts once: what a text says thrice does not make a longer one of it.
        self._often = Counter(self._hits.values())
        self._counts = self._count(self._often)
        self._of: dict[int, list[tuple[int, int]]] = {}

    def best(self) -> list[Place]:
        """Return the likeliest place, and those of other known texts that may stand there."""
        while True:
            shares = self._shares(self._counts)
            if not shares:
                return []
            number = max(shares, key=lambda one: (_worth(4, one), _worth(2, one), -one[2]))[2]
            hits = self._hits_of(number)
            head = hits[: _HEAD * self._index.entries[number][2]]
            runs = self._runs(number, head) or self._runs(number, hits)
            if runs:
                break
            self._counts[number] = 0  # scattered words, no text
        top = max(runs, key=lambda place: (place.weight, -place.start))
        return self._near(top)

    def strike(self, start: int, end: int) -> None:
        """Forget the words from `start` up to `end`."""
        found = (self._hits.pop(i) for i in range(start, end + SHINGLE - 1) if i in self._hits)
        gone = []
        for shingle in found:
            self._often[shingle] -= 1
            if not self._often[shingle]:
                del self._often[shingle]
                gone.append(shingle)
        if len(gone) > len(self._often):
            self._counts = self._count(self._often)
        else:
            self._counts.subtract(self._count(gone))

    def _count(self, found: Iterable[int]) -> Counter[int]:
        index = self._index
        ends, texts = index.postings, index.texts
        slices = (texts[ends[i - 1] if i else 0 : ends[i]] for i in found)
        return Counter(chain.from_iterable(slices))

    def _shares(self, counts: Counter[int]) -> list[tuple[float, int, int]]:
        """Return of known texts the share that is there, their size and number."""
        shares = []
        for number, hits in counts.items():
            if hits > 1:
                total = self._index.entries[number][2]
                if hits >= total * (_LEAST_LONG if total > _LONG else _LEAST):
                    shares.append((min(1.0, hits / total), self._size(number), number))
        return shares

    def _hits_of(self, number: int) -> list[tuple[int, int]]:
        """Return where the shingles of a known text are, as (word, place in the known text)."""
        index, alive = self._index, self._hits
        if number not in self._of:
            ends, texts, at = index.postings, index.texts, index.at
            found = []
            for word, hit in alive.items():
                posting = bisect_left(texts, number, ends[hit - 1] if hit else 0, ends[hit])
                if posting < ends[hit] and texts[posting] == number:
                    found.append((word, at[posting]))
            self._of[number] = found
        known, most = self._of[number], 2 * _HEAD * index.entries[number][2]
        self._of[number] = [one for one in known[:most] if one[0] in alive] + known[most:]
        return self._of[number]

    def _near(self, top: Place) -> list[Place]:
        """Return this place and those of other texts where it is."""
        index = self._index
        ends, texts, at = index.postings, index.texts, index.at
        words = range(top.start, min(top.end + _SLACK, self._length))
        here = [(word, self._hits[word]) for word in words if word in self._hits]
        # Those that are nearly whole first, then those of which most is there.
        local = {hit for _, hit in here}
        whole = len(local) == len(self._often)
        shares = self._shares(self._counts if whole else self._count(local))
        wanted: set[int] = set()
        for dear in (4, 2):
            shares.sort(key=lambda one: (-_worth(dear, one), one[2]))
            likely = max((share for share, _, _ in shares[:3]), default=0.0) * _ALIKE
            wanted.update(n for share, _, n in shares[:_WEIGHED] if share >= likely)
        hits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for word, hit in here:
            for posting in range(ends[hit - 1] if hit else 0, ends[hit]):
                if texts[posting] in wanted:
                    hits[texts[posting]].append((word, at[posting]))
        found = {top.number: top}
        for number in sorted(wanted - {top.number}):
            runs = self._runs(number, hits[number])
            if runs:
                found[number] = max(runs, key=lambda place: (place.weight, -place.start))
        return sorted(found.values(), key=lambda place: (-place.weight, place.number))

    def _size(self, number: int) -> int:
        ends = self._index.ends
        return ends[number] - (ends[number - 1] if number else 0)

    def _runs(self, number: int, hits: list[tuple[int, int]]) -> list[Place]:
        """Return each stretch of the text in which the places run through the known text once."""
        index = self._index
        total, length = index.entries[number][2], self._size(number)
        runs: list[list[tuple[int, int]]] = []
        furthest = -1
        for number_of, (word, place) in enumerate(hits):
            far = runs and word - runs[-1][-1][0] > length * _APART + _BETWEEN
            # A phrase that the text says twice is found where it is said first: no new beginning.
            ahead = hits[number_of : number_of + _AHEAD]
            back = furthest - length * _BACK
            if not runs or far or (place < back and all(later < back for _, later in ahead)):
                runs.append([])
                furthest = -1
            furthest = max(furthest, place)
            runs[-1].append((word, place))
        if len(runs) > 1:
            runs.append(_chain(hits))  # a text that says much twice is cut into several
        found = []
        for run in runs:
            distinct = len({place for _, place in run})
            if distinct < total * (_LEAST_LONG if total > _LONG else _LEAST):
                continue
            (first, early), (last, late) = run[0], run[-1]
            start = max(0, first - early - early // 4 - _SLACK)
            rest = length - late
            end = min(self._length, last + rest + rest // 4 + _SLACK)
            between = max(0, last - first - (late - early))  # words that are not its own
            weight = length / total * (2 * distinct - total) - between
            found.append(Place(number, start, end, first - SHINGLE, last + 1, weight))
        return found
