"""What of a known text must be there: its words without titles, numbers and names of holders."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from registry.licenses.matching.holders import CLAUSE_WORDS, places, without_statements
from registry.licenses.matching.words import Words, words_of

# From these lines on a text tells how to apply it; many files leave that part out.
_APPENDIX = re.compile(
    r"^[\W_]*(?:how to apply these terms|appendix\b.{0,20}how to apply|end of terms and conditions"
    r"|exhibit [ab]\b|creative commons is not a party to its public|creative commons notice"
    r"|standard license header|source code header|for more information, please refer to)",
    re.IGNORECASE | re.MULTILINE,
)
# Up to these words a text speaks of itself, not of what it licenses.
_PREFACE = re.compile(
    r"(?:by exercising the licensed rights \(defined below\)"
    r"|the work \(as defined below\) is provided under the terms"
    r"|license\s+the work \(as defined below\))",
    re.IGNORECASE,
)
_PREFACED = "creative commons corporation"
_PATH = re.compile(r"(?:https?://|www\.)[\w.-]+(/[^\s>)\"\]]*)", re.IGNORECASE)
_PARAGRAPH = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_TITLES, _TITLE_WORDS, _TITLE_SHARE = 3, 14, 0.2
_LEAST_SHARE = 0.7  # of a text that must come before its appendix

Titles = Callable[[tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """A known text: its words, which of them (start, end) may be left out, where names may stand.

    `names` are positions in `words`: a holder's name may stand before the word there.
    """

    words: tuple[str, ...]
    optional: tuple[tuple[int, int], ...]
    names: tuple[int, ...]


def known(text: str, is_title: Titles) -> Known:
    """Return what of this text must be there. `is_title` says which opening lines are titles."""
    found = words_of(text)
    dropped = _dropped(found, is_title)
    slots = places(found.words)
    for start, end in slots:
        dropped.update(range(start, end))
    kept = [i for i in range(len(found.words)) if i not in dropped]
    place = {word: new for new, word in enumerate(kept)}
    names = sorted({place[end] for _, end in slots if end in place})
    first, last = _bounds(text)
    paths = {i for a, b in _paths(text) for i in kept if a <= found.spans[i][0] < b}
    paths.update(_years(found.words, kept))
    title = _title_end(text)
    ranges = _ranges(
        [place[i] for i in kept if not max(first, title) <= found.spans[i][0] < last or i in paths]
    )
    return Known(tuple(found.words[i] for i in kept), ranges, tuple(names))


def _dropped(found: Words, is_title: Titles) -> set[int]:
    starts = [start for start, _ in found.spans]
    inside = set(range(len(starts)))
    for start, end in without_statements(found.text):
        inside.difference_update(range(bisect_left(starts, start), bisect_left(starts, end)))
    inside.update(i for i in range(len(found.words)) if found.is_number(i))
    for i in range(len(found.words)):
        if found.words[i : i + 3] == ("all", "rights", "reserved"):
            inside.update(range(i, i + 3))
    rest = [i for i in range(len(found.words)) if i not in inside]
    for _, group in groupby(rest, key=found.line):
        line = list(group)
        if not is_title(tuple(found.words[i] for i in line)):
            break
        inside.update(line)
    return inside


def _bounds(text: str) -> tuple[int, int]:
    cuts = [m.start() for m in _APPENDIX.finditer(text) if m.start() > len(text) * _LEAST_SHARE]
    preface = _PREFACE.search(text) if _PREFACED in text[:400].lower() else None
    return (preface.start() if preface else 0), (min(cuts) if cuts else len(text))


def _paths(text: str) -> list[tuple[int, int]]:
    # A publisher moves its pages: the path of an address may change, its host not.
    return [m.span(1) for m in _PATH.finditer(text)]


def _years(words: tuple[str, ...], kept: list[int]) -> list[int]:
    years = [i for i in kept if _YEAR.fullmatch(words[i])]
    beside = set(years)
    return [i for i in years if i - 1 in beside or i + 1 in beside]


def _title_end(text: str) -> int:
    """Return where the title of a text ends: short opening paragraphs that say nothing."""
    end = 0
    for paragraph in list(_PARAGRAPH.finditer(text))[:_TITLES]:
        words = words_of(paragraph[0]).words
        plain = tuple(w for w in words if w not in ("license", "licenses", "this", "agreement"))
        if len(words) > _TITLE_WORDS or not CLAUSE_WORDS.isdisjoint(plain):
            break
        end = paragraph.end()
    return end if end < len(text) * _TITLE_SHARE else 0


def _ranges(positions: list[int]) -> tuple[tuple[int, int], ...]:
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and ranges[-1][1] == position:
            ranges[-1] = (ranges[-1][0], position + 1)
        else:
            ranges.append((position, position + 1))
    return tuple(ranges)
