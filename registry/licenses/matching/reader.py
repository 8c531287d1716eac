"""A text read: the known licences in it, and which of its other words are accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from registry.errors import UnreadableText
from registry.licenses.matching.align import Alignment, Gap, align
from registry.licenses.matching.explain import NUMBERS, Explain
from registry.licenses.matching.holders import is_name
from registry.licenses.matching.index import UNKNOWN, Index, Text, digest, load
from registry.licenses.matching.search import Place, Search
from registry.licenses.matching.words import Words, words_of

TEXT_LIMIT = 500_000  # characters; the longest known text has about 46,000
MOST_MATCHES = 200  # in one text
_MOST_NUMBERS = 10_000  # of paragraphs; known texts have a few hundred
_TRIED = 12  # known texts laid beside one part
_DEAR = 3  # words that a text must explain to make up for one of it that is not there
_ASIDE = 8  # words
_HOLDER = 4  # words of the known text that a name may stand for
_LEAST_COVERAGE = 0.6
_LEAST_PART = (0.3, 150)  # share and words of a long text that are enough


@dataclass(frozen=True, slots=True)
class Found:
    """A known text in a text, with what is not as it should be there.

    `added` are ranges of words of the text, `dropped` (word of the text, words left out there).
    """

    known: Text
    start: int
    end: int
    coverage: float
    same: int
    added: tuple[tuple[int, int], ...]
    dropped: tuple[tuple[int, int], ...]

    @property
    def more(self) -> int:
        """How many words there are that the known text has not."""
        return sum(b - a for a, b in self.added)

    @property
    def less(self) -> int:
        """How many words of the known text are not there."""
        return sum(count for _, count in self.dropped)


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a text, the known texts in it in order, and the ranges nothing accounts for."""

    words: Words
    found: tuple[Found, ...]
    rest: tuple[tuple[int, int], ...]


def read(text: str) -> Reading:
    """Read a text. Raises UnreadableText where it is too long, or holds too many licences."""
    if len(text) > TEXT_LIMIT:
        raise UnreadableText("the text is too long to compare", _HINT)
    index = load()
    words = words_of(text, lambda word: digest(word) in index.vocabulary)
    explain = Explain(words, index)
    found = sorted(_all(words, index, explain), key=lambda one: one.start)
    if not found:
        return Reading(words, (), ((0, len(words.words)),) if words.words else ())
    edges = [(0, 0), *((one.start, one.end) for one in found), (len(words.words),) * 2]
    rest = tuple(part for (_, a), (b, _) in pairwise(edges) if a < b for part in explain.left(a, b))
    return Reading(words, tuple(found), rest)


_HINT = "give each licence a file of its own"


def _all(words: Words, index: Index, explain: Explain) -> Iterator[Found]:
    letters = index.letters(words.words)
    likely = [i for i, word in enumerate(words.words) if word in NUMBERS][:_MOST_NUMBERS]
    skipped = frozenset(filter(explain.is_number, words.numbered(likely)))
    search = Search(index, letters, skipped)
    count = failed = 0
    while places := search.best():
        best = _best(places, letters, explain)
        if best is None:
            # Nothing there is near enough: look no more at the words that spoke for it.
            search.strike(max(0, places[0].first), places[0].last)
            failed += 1
            if failed > MOST_MATCHES:
                raise UnreadableText("the text holds too many pieces of licences", _HINT)
            continue
        count += 1
        if count > MOST_MATCHES:
            raise UnreadableText("the text holds too many licences", _HINT)
        yield best
        search.strike(best.start, best.end)
        gone = UNKNOWN * (best.end - best.start)
        letters = letters[: best.start] + gone + letters[best.end :]


def _best(places: list[Place], letters: str, explain: Explain) -> Found | None:
    """Return the known text that differs least there: no score alone names it."""
    here: dict[tuple[int, int], Counter[str]] = {}
    bounded = []
    for order, place in enumerate(places):
        window, known = (place.start, place.end), _text(place.number)
        if window not in here:
            here[window] = Counter(letters[place.start : place.end])
        most = bound(known, here[window]) if len(places) > 1 else 0
        bounded.append((-most, order, known, place))
    best: Found | None = None
    for most, _, known, place in sorted(bounded)[:_TRIED]:
        if best is not None and -most < _value(best)[0]:
            break
        aligned = align(known.words, letters, place.start, place.end)
        one = _found(known, aligned, explain) if aligned else None
        if one is not None and (best is None or _value(one) > _value(best)):
            best = one
    return best


def _value(one: Found) -> tuple[int, int]:
    total = len(one.known.words) - one.known.spare
    return round(one.coverage * total) - _DEAR * one.less - one.more, one.same


def bound(known: Text, here: Counter[str]) -> int:
    """Return the most that a known text can be worth where these words are, in any order."""
    counted = _counted(known.words)
    missing = sum([count - here[word] for word, count in counted if here[word] < count])
    must = len(known.words) - known.spare
    return must - (1 + _DEAR) * max(0, missing - known.spare)


@lru_cache(maxsize=512)
def _text(number: int) -> Text:
    return load().text(number)


@lru_cache(maxsize=512)
def _counted(words: str) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(words).items())


def _found(known: Text, aligned: Alignment, explain: Explain) -> Found | None:
    added: list[tuple[int, int]] = []
    dropped: list[tuple[int, int]] = []
    missing = 0
    for gap in aligned.gaps:
        left_out = gap.last - gap.first
        left_out -= _overlap(gap, known.optional) if left_out else 0
        missing += left_out
        parts, named = _left(gap, known, explain, left_out)
        if parts and _is_aside(gap, known, explain):
            parts = []
        added += parts
        if left_out and not (named and gap.end > gap.start and not parts):
            dropped.append((min(gap.end, len(explain.words.words) - 1), left_out))
    total = len(known.words) - known.spare
    coverage = 1 - missing / total if total else 0.0
    share, enough = _LEAST_PART
    if coverage < _LEAST_COVERAGE and not (coverage >= share and aligned.same >= enough):
        return None
    if sum(b - a for a, b in added) > aligned.same:
        return None
    return Found(
        known,
        _line_start(aligned.start, explain),
        aligned.end,
        coverage,
        aligned.same,
        tuple(added),
        tuple(dropped),
    )


def _line_start(word: int, explain: Explain) -> int:
    """Return where a text begins whose title is in part on the line before `word`."""
    start = explain.whole_line(word)[0]
    few = word - start <= _ASIDE
    return start if few and is_name(explain.words.words[start:word]) else word


def _left(
    gap: Gap, known: Text, explain: Explain, left_out: int
) -> tuple[list[tuple[int, int]], bool]:
    """Return what of the words put in is a difference, and whether a holder is named there."""
    if gap.start == gap.end or (not left_out and explain.are_numbers(gap.start, gap.end)):
        return [], False
    first: list[tuple[int, int]] | None = None
    for turned in explain.turned(gap):
        named = left_out <= _HOLDER and not known.names.isdisjoint((turned.first, turned.last))
        parts = explain.left(turned.start, turned.end, named=named)
        if not parts:
            return parts, named
        first = parts if first is None else first
    return first or [], False


def _is_aside(gap: Gap, known: Text, explain: Explain) -> bool:
    """Whether a few words that bind nobody are put into a part that may be absent."""
    inside = any(a < gap.first and gap.last < b for a, b in known.optional)
    few = gap.end - gap.start <= _ASIDE
    return inside and few and is_name(explain.words.words[gap.start : gap.end])


def _overlap(gap: Gap, ranges: tuple[tuple[int, int], ...]) -> int:
    return sum(max(0, min(b, gap.last) - max(a, gap.first)) for a, b in ranges)
