"""Which well-known name a new name could be mistaken for, and by what slip.

How far each slip reaches (from what length on, to which rank) was chosen on names known to be
malicious against honest names left out of the list: `python -m benchmarks.names` prints both.
Doubled and swapped letters are almost never honest; one changed letter in a short name mostly is.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.manifests.popular import is_popular, ranks

SHORTEST, LONGEST = 5, 100  # letters of names that are compared
CLOSE = 500  # names so popular that more than one small slip counts
TWO_EDITS = 9  # letters from which two edits count, to names so popular
STEM = 5  # letters of a part from which an edit within it counts, where other parts are the same
ALL = 15_000
_DIGITS = str.maketrans("", "", "0123456789")
_GLYPHS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s"})
_RUNS = re.compile(r"(.)\1+")


class Slip(StrEnum):
    """How a name differs from the other, hyphens aside."""

    DOUBLED = "letters are doubled"
    SWAPPED = "two letters are swapped"
    GLYPH = "characters look alike"
    LEFT_OUT = "a letter is left out"
    LEFT_OUT_FIRST = "the first letter is left out"
    LEFT_OUT_LAST = "the last letter is left out"
    ADDED = "a letter is added"
    ADDED_FIRST = "a first letter is added"
    ADDED_LAST = "a last letter is added"
    OTHER = "a letter is another one"
    OTHER_FIRST = "the first letter is another one"
    OTHER_LAST = "the last letter is another one"
    HYPHENS = "hyphens differ"
    PARTS = "the parts are in another order"
    TWO = "two letters differ"


SURE = frozenset({Slip.DOUBLED, Slip.SWAPPED, Slip.GLYPH, Slip.LEFT_OUT})
# From how many letters on a slip counts, and to names of which rank.
REACH: dict[Slip, tuple[tuple[int, int], ...]] = {
    Slip.DOUBLED: ((5, ALL),),
    Slip.SWAPPED: ((5, ALL),),
    Slip.GLYPH: ((5, ALL),),
    Slip.LEFT_OUT: ((5, 500), (7, 5000)),
    Slip.LEFT_OUT_FIRST: ((6, 500), (9, 5000)),
    Slip.LEFT_OUT_LAST: ((7, 500), (9, 1000), (13, 5000)),
    Slip.ADDED: ((7, 500), (8, 2000), (9, 5000)),
    Slip.ADDED_FIRST: ((8, 500), (9, 0), (11, 5000)),
    Slip.ADDED_LAST: ((7, 500), (9, 1000), (11, 5000)),
    Slip.OTHER: ((8, 1000), (9, 5000)),
    Slip.OTHER_FIRST: ((8, 500), (9, 5000)),
    Slip.OTHER_LAST: ((8, 500), (10, 5000)),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """The well-known name and the slip; `sure`: honest names are hardly ever so alike."""

    other: str
    slip: Slip
    sure: bool


@dataclass(frozen=True, slots=True)
class _Lists:
    """The well-known names by what is compared of them, the most popular first in each.

    `runs` holds those with doubled letters, by what is left with each once; `parts` and `close`
    only the most popular.
    """

    flat: Mapping[str, list[str]]
    runs: Mapping[str, list[str]]
    parts: Mapping[str, list[str]]
    lengths: Mapping[int, list[str]]
    close: Mapping[int, list[str]]


@functools.cache
def _lists() -> _Lists:
    flat, runs, parts = (defaultdict[str, list[str]](list) for _ in range(3))
    lengths, close = (defaultdict[int, list[str]](list) for _ in range(2))
    names = list(ranks())
    # All names as one text: one call takes a fifth of the time of fifteen thousand.
    plains = _flat("\n".join(names))
    shorts = _short(plains).split()
    for rank, (name, plain, short) in enumerate(zip(names, plains.split(), shorts, strict=True)):
        flat[plain].append(name)
        lengths[len(plain)].append(plain)
        if short != plain:
            runs[short].append(name)
        if rank < CLOSE:
            parts[_parts(name)].append(name)
            close[len(plain)].append(plain)
    return _Lists(flat, runs, parts, lengths, close)


def resembled(name: str) -> Likeness | None:
    """Return what a canonical name could be mistaken for: the surest and most popular."""
    if is_popular(name):
        return None
    rank = ranks()
    return min(likenesses(name), key=lambda f: (not f.sure, rank[f.other]), default=None)


def likenesses(name: str) -> Iterator[Likeness]:
    """Yield every other well-known name that a canonical name is close to, known itself or not."""
    if SHORTEST <= len(_flat(name)) <= LONGEST:
        for other, slip in _candidates(name):
            if other != name:
                yield Likeness(other, slip, _sure(name, slip))


def _sure(name: str, slip: Slip) -> bool:
    # A letter that a short name lacks may never have been there.
    return slip in SURE and (slip is not Slip.LEFT_OUT or len(_flat(name)) >= 7)


def _candidates(name: str) -> Iterator[tuple[str, Slip]]:
    plain, lists, rank = _flat(name), _lists(), ranks()
    for other in lists.flat.get(plain, ()):
        if rank[other] < CLOSE:
            yield other, Slip.HYPHENS
    short = _short(plain)
    for other in (*lists.runs.get(short, ()), *lists.flat.get(short, ())):
        if _letters(plain) == plain != _flat(other):
            yield other, Slip.DOUBLED
    seems = _glyphs(plain)
    yield from ((other, Slip.GLYPH) for other in lists.flat.get(seems, ()) if seems != plain)
    if "-" in name:
        yield from ((other, Slip.PARTS) for other in lists.parts.get(_parts(name), ()))
    yield from _one_edit(name)
    yield from _two_edits(name)


def _one_edit(name: str) -> Iterator[tuple[str, Slip]]:
    plain, lists, rank = _flat(name), _lists(), ranks()
    for near in _near(plain, lists.lengths, 1):
        # Names that differ in their digits alone are versions of one thing more often than bait.
        if near == plain or _letters(near) == _letters(plain):
            continue
        slip = _slip(plain, near)
        for other in lists.flat[near]:
            if rank[other] < _reach(slip, len(plain)) and _in_a_stem(name, other):
                yield other, slip


def _two_edits(name: str) -> Iterator[tuple[str, Slip]]:
    plain, lists = _flat(name), _lists()
    if len(plain) < TWO_EDITS:
        return
    for near in _near(plain, lists.close, 2):
        ends = near[0] == plain[0] and near[-1] == plain[-1]
        if ends and near != plain and _letters(near) != _letters(plain):
            yield from (
                (o, Slip.TWO) for o in lists.flat[near] if _in_a_stem(name, o) and _is_close(o)
            )


def _is_close(name: str) -> bool:
    return ranks()[name] < CLOSE


def _near(plain: str, by_length: Mapping[int, list[str]], edits: int) -> Iterator[str]:
    from rapidfuzz import process  # only new names need it
    from rapidfuzz.distance import OSA

    # An edit changes the length by one at most, so few names need to be compared.
    for length in range(len(plain) - edits, len(plain) + edits + 1):
        names = by_length.get(length, [])
        found = process.extract(plain, names, scorer=OSA.distance, score_cutoff=edits, limit=None)
        yield from (near for near, _, _ in found)


def _slip(plain: str, other: str) -> Slip:
    """Return which edit makes `plain` out of `other`, where one does."""
    if _short(plain) == _short(other):
        return Slip.DOUBLED
    pairs = enumerate(itertools.zip_longest(plain, other))
    place = next(place for place, (one, two) in pairs if one != two)
    last = place == max(len(plain), len(other)) - 1
    if len(plain) == len(other):
        if plain[place + 1 :] != other[place + 1 :]:
            return Slip.SWAPPED
        if _glyphs(plain) == _glyphs(other):
            return Slip.GLYPH
        return (Slip.OTHER_FIRST, Slip.OTHER, Slip.OTHER_LAST)[_third(place, last)]
    if len(plain) < len(other):
        return (Slip.LEFT_OUT_FIRST, Slip.LEFT_OUT, Slip.LEFT_OUT_LAST)[_third(place, last)]
    return (Slip.ADDED_FIRST, Slip.ADDED, Slip.ADDED_LAST)[_third(place, last)]


def _third(place: int, last: bool) -> int:
    return 0 if place == 0 else 2 if last else 1


def _reach(slip: Slip, length: int) -> int:
    found = 0
    for shortest, rank in REACH[slip]:
        found = rank if length >= shortest else found
    return found


def _in_a_stem(name: str, other: str) -> bool:
    """Whether not just a short part differs: `types-boto3-sns` is a sister of `types-boto3-sqs`."""
    ours, theirs = name.split("-"), other.split("-")
    if len(ours) == 1 or len(ours) != len(theirs):
        return True
    differ = [max(len(a), len(b)) for a, b in zip(ours, theirs, strict=True) if a != b]
    return len(differ) != 1 or differ[0] >= STEM


def _flat(name: str) -> str:
    return name.replace("-", "")


def _glyphs(plain: str) -> str:
    return plain.replace("rn", "m").replace("vv", "w").translate(_GLYPHS)


def _short(plain: str) -> str:
    return _RUNS.sub(r"\1", plain)


def _parts(name: str) -> str:
    return "-".join(sorted(name.split("-")))


def _letters(plain: str) -> str:
    return plain.translate(_DIGITS)
