"""Where a text only names its licence: headers, pointer files, notices, SPDX identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.licenses.matching.index import Index, digest, load
from registry.licenses.matching.words import Words, words_of

HEADER = 4_096  # characters: where a source file names its licence
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n]{1,300})")
_EXPRESSION = re.compile(
    r"\(*[A-Za-z0-9][A-Za-z0-9.+:-]*\)*(?:\s+(?:AND|OR|WITH|and|or|with)\s+\(*"
    r"[A-Za-z0-9][A-Za-z0-9.+:-]*\)*)*"
)
_UNDER = frozenset(
    (
        "under",
        "licensed",
        "license",
        "licenses",
        "terms",
        "either",
        "conditions",
        "governed",
        "by",
        "is",
        "the",
    )
)
_OWN = frozenset(("license", "licensed", "licenses", "terms"))
_FILLER = frozenset(
    ("the", "a", "an", "of", "terms", "conditions", "both", "either", "dual", "and", "is", "under",
     "license", "licensed", "licenses", "this", "following", "in", "to", "according")
)  # fmt: skip
_SPARE = frozenset(("the", "version", "v", "license", "licenses", "software", "of", "public"))
_LONGEST = 14  # words of a name
_SKIPPED = 6  # words before a name that say nothing
_JOINS = 6  # words between two names of one choice
_NUMBERED = re.compile(r"v(\d+)")
_GNU = re.compile(
    r"\b(?:gnu )?(lesser general|library general|affero general|general|free documentation)"
    r" (?:public )?license\b"
)
_GNU_VERSION = re.compile(r"\b(?:version|v) ?(\d)(?: (\d))?\b")
_LATER = re.compile(r"\b(?:any|or) (?:later|newer|higher|\(at your option\))|\bor above\b")
_GNU_IDS = {
    "general": "GPL", "lesser general": "LGPL", "library general": "LGPL",
    "affero general": "AGPL", "free documentation": "GFDL",
}  # fmt: skip
_GNU_WINDOW = 40  # words
_VERSIONS = {"GPL": "1.0 2.0 3.0", "LGPL": "2.0 2.1 3.0", "AGPL": "1.0 3.0", "GFDL": "1.1 1.2 1.3"}


def references(text: str, limit: int = HEADER) -> tuple[tuple[str, int], ...]:
    """Return the licences that the first `limit` characters name, each with its 1-based line.

    An id or an expression ("Apache-2.0 OR MIT" for a choice). A name without its version is a
    family ("bsd", "gpl"). An SPDX identifier is given as it is written, if it has the form of
    an expression.
    """
    text = text[:limit]
    words = words_of(text)
    found = [*_tagged(text), *_named(words, load()), *_gnu(words)]
    return tuple(dict.fromkeys(sorted(found, key=lambda one: (one[1], one[0]))))


def plain_name(words: tuple[str, ...]) -> str:
    """Return a licence's name without the words that people add and leave out."""
    kept = [_NUMBERED.sub(r"\1", word) for word in words if word not in _SPARE]
    while len(kept) > 2 and kept[-1] == "0":
        kept.pop()
    return " ".join(kept)


def _tagged(text: str) -> Iterator[tuple[str, int]]:
    for found in _TAG.finditer(text):
        expression = _EXPRESSION.match(found[1].strip())
        if expression and expression[0].count("(") == expression[0].count(")"):
            said = re.sub(r"\s+(and|or|with)\s+", lambda m: m[0].upper(), expression[0])
            yield " ".join(said.split()), text.count("\n", 0, found.start()) + 1


def _named(words: Words, index: Index) -> Iterator[tuple[str, int]]:
    names = list(_names(words, index))
    at = 0
    while at < len(names):
        start, end, id = names[at]
        choice = [id]
        while at + 1 < len(names) and _is_choice(words, end, names[at + 1][0]):
            at += 1
            end = names[at][1]
            choice.append(names[at][2])
        yield " OR ".join(dict.fromkeys(choice)), words.line(start)
        at += 1


def _is_choice(words: Words, end: int, start: int) -> bool:
    between = words.words[end:start]
    return len(between) <= _JOINS and "or" in between


def _names(words: Words, index: Index) -> Iterator[tuple[int, int, str]]:
    """Yield each name that stands where a licence is named, as (start, end, id)."""
    said, at, last = words.words, 0, -1
    while at < len(said):
        if said[at] not in _UNDER and at != last:
            at += 1
            continue
        start = at + (at != last)
        for _ in range(_SKIPPED):
            if start < len(said) and said[start] in (_FILLER | {"or"}):
                start += 1
        end, id = _longest(said, start, index)
        if id and _is_meant(said, start, end):
            yield start, end, id
            at = last = end + _choice(said, end)
        else:
            at += 1


def _choice(said: tuple[str, ...], end: int) -> int:
    for step in range(_JOINS):
        if said[end + step : end + step + 1] == ("or",):
            return step
    return 0


def _longest(said: tuple[str, ...], start: int, index: Index) -> tuple[int, str]:
    for end in range(min(start + _LONGEST, len(said)), start, -1):
        name = plain_name(said[start:end])
        id = index.names.get(digest(name)) if name else None
        if id is not None:
            return end, id
    return start, ""


def _is_meant(said: tuple[str, ...], start: int, end: int) -> bool:
    # "under mit terms", "the MIT license"; not "under zero conditions".
    around = (*said[max(0, start - 3) : start], *said[end - 1 : end + 1])
    return not _OWN.isdisjoint(around) or "under" in around


def _gnu(words: Words) -> Iterator[tuple[str, int]]:
    joined = " ".join(words.words)
    for found in _GNU.finditer(joined):
        first = joined.count(" ", 0, found.start())
        after = " ".join(words.words[first : first + _GNU_WINDOW])
        kind = _GNU_IDS[found[1]]
        version = _GNU_VERSION.search(after)
        number = f"{version[1]}.{version[2] or 0}" if version else ""
        if number in _VERSIONS[kind].split():
            later = "or-later" if _LATER.search(after) else "only"
            yield f"{kind}-{number}-{later}", words.line(first)
