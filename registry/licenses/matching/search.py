"""Where in a text a known one may stand: found by shingles, so that the work follows the text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from registry.licenses.matching.index import SHINGLE, Index, shingles

_LEAST = 0.3  # share of a known text's shingles that make it worth a look
_LEAST_LONG = 0.12  # of a text of which half would be long
_LONG = 400  # shingles
_BACK = 0.5  # of a text: a place this far back begins it anew
_WHOLE = 1.3  # times a text that what holds it once may be long
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

    def best(self) -> list[Place]:
        """Return the likeliest place, and those of other known texts that may stand there."""
        shares = []
        for number, hits in self._counts.items():
            total = self._index.entries[number][2]
            if hits >= total * (_LEAST_LONG if total > _LONG else _LEAST) and hits > 1:
                shares.append((min(1.0, hits / total), self._size(number), number))
        # Those that are nearly whole first, then those of which most is there.
        numbers: dict[int, None] = {}
        for dear in (4, 2):
            shares.sort(key=lambda one: (-(dear * (one[0] - 1) + 1) * one[1], one[2]))
            likely = max((share for share, _, _ in shares[:3]), default=0.0) * _ALIKE
            numbers.update((n, None) for share, _, n in shares[:_WEIGHED] if share >= likely)
        places = self._placed(list(numbers))
        if not places:
            return []
        top = places[0]
        found: dict[int, Place] = {}
        for place in places:
            if place.first < top.last and top.first < place.last:
                found.setdefault(place.number, place)
        return list(found.values())

    def strike(self, start: int, end: int) -> None:
        """Forget the words from `start` up to `end`."""
        found = (self._hits.pop(i) for i in range(start, end + SHINGLE - 1) if i in self._hits)
        self._often.subtract(found)
        gone = [shingle for shingle, often in self._often.items() if often <= 0]
        for shingle in gone:
            del self._often[shingle]
        if len(gone) > len(self._often):
            self._counts = self._count(self._often)
        else:
            self._counts.subtract(self._count(gone))

    def _count(self, found: Iterable[int]) -> Counter[int]:
        index = self._index
        ends, texts = index.postings, index.texts
        slices = (texts[ends[i - 1] if i else 0 : ends[i]] for i in found)
        return Counter(chain.from_iterable(slices))

    def _placed(self, numbers: list[int]) -> list[Place]:
        if not numbers:
            return []
        wanted = frozenset(numbers)
        index = self._index
        ends, texts, at = index.postings, index.texts, index.at
        hits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for word, found in self._hits.items():
            for posting in range(ends[found - 1] if found else 0, ends[found]):
                if texts[posting] in wanted:
                    hits[texts[posting]].append((word, at[posting]))
        places = [place for number in numbers for place in self._runs(number, hits[number])]
        return sorted(places, key=lambda place: (-place.weight, place.number))

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
        if len(runs) > 1 and hits[-1][0] - hits[0][0] <= length * _WHOLE:
            runs.append(hits)  # a text that says much twice
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
