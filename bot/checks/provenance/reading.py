"""The added lines of one file: what licences and copyright holders they name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from bot import added
from bot.checks.provenance import encoding
from bot.checks.provenance.evidence import OWN, Mark, Marks
from bot.checks.provenance.holders import holders
from bot.checks.provenance.prose import prose
from registry.errors import UnreadableText
from registry.licenses.matching import match, references

BLOCKS = 60  # of one file
_GAP, _BEFORE, _AFTER = 14, 3, 14  # lines between and around those with a cue
_LONGEST, _SHARE = 200, 0.6  # lines of a text without a cue, and how many of them are words
_HEADER = 4_096
_PASSING = 500  # characters of a line that names a licence in passing
_BESIDE = 3  # lines after a licence text that may take something away
_CUE = re.compile(
    r"licen[sc]e|copyright|\(c\)\s{0,3}(?:19|20)\d\d|©|redistribution and use|"
    r"permission is hereby|warrant|merchantab|(?:released|distributed|published) under|lizenz|"
    r"creative commons",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"licen[sc]e (?:that can be |that may be |which can be )?found in the|"
    r"see (?:the )?(?:accompanying )?(?:file )?\W{0,2}licen[sc]e",
    re.IGNORECASE,
)
# A comment may speak of licences without being under one: these words say that it is.
_STATES = re.compile(
    r"licensed|relicensed|released|distributed|redistribut|published|available under|under the|"
    r"terms of|(?:licen[sc]e|identifier)[ \t]{0,9}:|governed",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"\b(?:adapted|taken|copied|borrowed|ported|derived|modified|originally|based on|code|lifted"
    r"|stolen|extracted|vendored)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"((?:[A-Za-z0-9][\w.+-]{0,30}[ \t]){1,4})licen[sc]ed?\b", re.IGNORECASE)
_GNU = re.compile(
    r"\bGNU (?:(lesser|library|affero)[ -])?(?:general public licen[sc]e|GPL)\b", re.IGNORECASE
)
_FAMILIES = {"lesser": "lgpl", "library": "lgpl", "affero": "agpl"}
# Texts that name their own holder, who holds nothing in what is under them.
_STEWARDS = re.compile(r"free software foundation|python software foundation", re.IGNORECASE)


@dataclass(slots=True)
class _Block:
    first: int
    lines: list[str] = field(default_factory=list)


def read(before: bytes | None, after: bytes, *, language: str = "") -> Marks:
    """Return what the added lines of a file name; nothing of a binary file."""
    if lost := encoding.lost(before, after):
        return Marks(lost=lost)
    found: list[Mark] = []
    head = ""
    for count, block in enumerate(_blocks(before, after, language=language)):
        if count >= BLOCKS:
            return Marks(tuple(found), more=True)
        try:
            mark = _mark(block)
        except UnreadableText:
            return Marks(tuple(found), more=True)
        if mark is None:
            continue
        if mark.holders and not mark.licenses:
            # The licence of the file's own header covers who is named further down.
            head = head or _head(after, language=language)
            mark = replace(mark, licenses=_named(head, ())[0])
        found.append(mark)
    return Marks(tuple(found))


def _blocks(before: bytes | None, after: bytes, *, language: str) -> Iterator[_Block]:
    words: list[str] = []
    for run in added.runs(before, after):
        if not any(map(_CUE.search, encoding.lines(run.data))):
            continue
        words = words or prose(added.text(after) or b"", language)
        start = run.line - 1
        lines = words[start : start + run.data.count(b"\n") + 1]
        yield from _grouped(run.line, lines)


def _grouped(at: int, lines: list[str]) -> Iterator[_Block]:
    """Yield what stands around lines with a cue; a text that goes on between two is one block."""
    cues = [n for n, line in enumerate(lines) if line and _CUE.search(line)]
    words = list(accumulate((bool(line) for line in lines), initial=0))
    while cues:
        size = 1
        while size < len(cues) and _goes_on(words, cues[size - 1], cues[size]):
            size += 1
        first, last = max(0, cues[0] - _BEFORE), min(len(lines), cues[size - 1] + _AFTER)
        while last < len(lines) and lines[last] and last < cues[size - 1] + _LONGEST:
            last += 1
        yield _Block(at + first, lines[first : last + 1])
        cues = cues[size:]


def _goes_on(words: list[int], one: int, other: int) -> bool:
    gap = other - one
    return gap <= _GAP or (gap <= _LONGEST and words[other] - words[one] >= _SHARE * gap)


def _mark(block: _Block) -> Mark | None:
    text = "\n".join(block.lines)
    matches = match(text)
    inside = [(one.first, one.last) for one in matches]
    licenses, at = _named(text, tuple(inside))
    known = [one.ids[0] for one in matches]
    names: dict[str, int] = {}
    for number, line in enumerate(block.lines, 1):
        covered = any(first <= number <= last for first, last in inside)
        for name in holders(line):
            if not (covered and _STEWARDS.search(name)):
                names.setdefault(name, number)
    places = [*(first for first, _ in inside), *at, *names.values()]
    if not places:
        return None
    more = [(one, passage) for one in matches for passage in one.added]
    within = [(p.line, p.text) for one, p in more if one.first <= p.line <= one.last]
    beside = [(p.line, p.text) for one, p in more if one.last < p.line <= one.last + _BESIDE]
    return Mark(
        block.first + min(places) - 1,
        tuple(dict.fromkeys([*known, *licenses])),
        tuple(names),
        tuple((block.first + line - 1, text) for line, text in within),
        tuple((block.first + line - 1, text) for line, text in beside),
    )


def _named(text: str, inside: tuple[tuple[int, int], ...]) -> tuple[tuple[str, ...], list[int]]:
    """Return the licences that a text names outside of known texts, and on which lines."""
    lines = text.split("\n")
    found = [
        (id, line)
        for id, line in references(text, _HEADER)
        if not any(first <= line <= last for first, last in inside)
        and _STATES.search(" ".join(lines[max(0, line - 2) : line + 1]))
    ]
    if not found and not inside:
        found += _in_passing(lines) or _gnu(lines)
    ours = _OURS.search(text)
    if ours is not None and not found and not inside:
        found.append((OWN, text.count("\n", 0, ours.start()) + 1))
    return tuple(dict.fromkeys(id for id, _ in found)), [line for _, line in found]


def _in_passing(lines: list[str]) -> list[tuple[str, int]]:
    """Return what lines name that say where code was taken from."""
    found: list[tuple[str, int]] = []
    for number, line in enumerate(lines, 1):
        before = lines[number - 2][-_PASSING:] if number > 1 else ""
        if not _TAKEN.search(f"{before} {line[:_PASSING]}"):
            continue
        for one in _NAMED.finditer(line[:_PASSING]):
            words = one[1].split()
            for start in range(len(words)):
                name = " ".join(words[start:])
                if id := next((i for i, _ in references(f"licensed under the {name} license")), ""):
                    found.append((id, number))
                    break
    return found


def _gnu(lines: list[str]) -> list[tuple[str, int]]:
    """Return the family where a line states a GNU licence without its version."""
    found = []
    for number, line in enumerate(lines, 1):
        one = _GNU.search(line[:_PASSING])
        if one and _STATES.search(line[:_PASSING]):
            found.append((_FAMILIES.get((one[1] or "").lower(), "gpl"), number))
    return found


def _head(after: bytes, *, language: str) -> str:
    return "\n".join(prose((added.text(after) or b"")[:_HEADER], language))
