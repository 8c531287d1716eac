"""Which known licence a text holds, how it differs from it, and where in the file it stands."""

from __future__ import annotations

import re

from registry.licenses.matching.decoding import decoded
from registry.licenses.matching.outside import restricting
from registry.licenses.matching.reader import TEXT_LIMIT, Found, Reading, read
from registry.licenses.matching.references import references
from registry.licenses.matching.values import Match, Passage
from registry.licenses.matching.words import Words

__all__ = ["TEXT_LIMIT", "Match", "Passage", "decoded", "identify", "match", "quoted", "references"]

QUOTE = 600  # characters of a passage; a longer one is cut in its middle
_AROUND = 6  # words on each side of a gap
_NEAR = 3  # words between passages that are shown as one
_MOSTLY = (60, 0.15)  # words, or share of those known, around a licence in a file of its own
_MARKS = re.compile(r"\s*[\r\n]+[ \t]*(?:[#*>;%!|]+|//+|REM\b|dnl\b|--+)?[ \t]*|\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def match(text: str) -> tuple[Match, ...]:
    """Return the known licences in a text, in their order there; () where there is none.

    Raises UnreadableText where the text is longer than TEXT_LIMIT or holds too many licences.
    """
    reading = read(text)
    extra = _around(reading)
    return tuple(_match(one, reading.words, extra[i]) for i, one in enumerate(reading.found))


def identify(text: str) -> tuple[str, ...]:
    """Return the ids this text is the text of, word for word and with nothing around it.

    () where it is none we know, or more than one. Several ids share one text: the plain reading
    of the text alone comes first. Raises UnreadableText as `match` does.
    """
    reading = read(text)
    if len(reading.found) != 1 or reading.found[0].more or reading.found[0].less or reading.rest:
        return ()
    return reading.found[0].known.ids


def _around(reading: Reading) -> list[list[tuple[int, int]]]:
    """Return, for each known text, the sentences nearest to it that take something away."""
    extra: list[list[tuple[int, int]]] = [[] for _ in reading.found]
    if not extra:
        return extra
    others = sum(end - start for start, end in reading.rest)
    known = sum(one.same for one in reading.found)
    least, share = _MOSTLY
    strict = others <= max(least, share * known)
    for start, end in restricting(reading.words, reading.rest, strict=strict):
        before = [i for i, one in enumerate(reading.found) if one.end <= start]
        extra[before[-1] if before else 0].append((start, end))
    return extra


def _match(one: Found, words: Words, extra: list[tuple[int, int]]) -> Match:
    first, last = words.lines(one.start, one.end)
    ranges = _joined(sorted((*one.added, *extra)))
    added = tuple(
        Passage(words.line(start), quoted(words.raw(start, end)), count)
        for start, end, count in ranges
    )
    dropped = tuple(_gap(words, word, count) for word, count in one.dropped)
    return Match(one.known.ids, one.known.family, first, last, one.coverage, added, dropped)


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return ranges with their words counted, those almost side by side as one."""
    joined: list[tuple[int, int, int]] = []
    for start, end in ranges:
        if joined and start - joined[-1][1] <= _NEAR:
            joined[-1] = (joined[-1][0], end, joined[-1][2] + end - start)
        else:
            joined.append((start, end, end - start))
    return joined


def _gap(words: Words, word: int, count: int) -> Passage:
    start, end = max(0, word - _AROUND), min(len(words.words), word + _AROUND)
    before = words.raw(start, word) if start < word else ""
    after = words.raw(word, end) if word < end else ""
    return Passage(words.line(word), quoted(f"{before} […] {after}"), count)


def quoted(raw: str) -> str:
    """Return words of a file on one line: without marks of comments, printable, bounded."""
    line = _CONTROL.sub(" ", _MARKS.sub(" ", raw)).strip().lstrip(".,;:!?)]}>-*#=|/+%~ ")
    if len(line) > QUOTE:
        line = f"{line[: QUOTE // 2]} […] {line[-QUOTE // 2 :]}"
    return line
