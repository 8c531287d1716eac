"""Which licence a text is, by an exact fingerprint of its words.

The fingerprint ignores layout, punctuation, comment marks, titles, list numbers and who holds
the copyright; every other word counts, so a text with a clause added or dropped is unknown.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from security import strictjson

TEXT_LIMIT = 200_000  # bytes; the longest SPDX text has about 120,000
FINGERPRINTS = Path(__file__).with_name("texts.json")
_INDEX_LIMIT = 1_000_000

_WORD = re.compile(r"[^\W_]+")
_NUMBERING = re.compile(r"(?:(?<=\s)|^)\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)](?=\s)", re.MULTILINE)
_SAME = {"licence": "license", "licences": "licenses", "https": "http"}

# A copyright statement starts a line, and is not a sentence about copyright that was wrapped there.
_STATEMENT = re.compile(
    r"[\W_]*(?:[Pp]ortions\s+)?(?:(?i:copyright)[\s:,]*(?:\([cC]\)|[©\d<\[])"
    r"|Copyright[\s:,]+(?!(?:(?i:notices?|holders?|owners?|laws?|licen[cs]es?|statements?|interest"
    r"|and|or|in|to|on|is|as|treaty|act)\b))\w|©|\([cC]\)\s*(?:(?i:copyright)\b|\d))"
)
# It ends at the first clause word, or where words are too many or too unlike a holder's name.
_NAMES = (
    "c copyright copyrights and the of by its their for et al all rights reserved contributors"
    " contributor affiliates authors author team developers present to de van von der as shown"
    " respective file"
)
_CLAUSES = (
    "permission permitted permits redistribution redistributions licensed license this everyone"
    " no not non only use used uses using may must shall without prohibited commercial"
    " noncommercial restricted forbidden excluded except require required grant granted you"
    " provided military research academic personal internal evaluation sale sell selling ban banned"
    " alone solely fee fees payment paid hobby hobbyists unless due"
)
_NAME_WORDS = frozenset(_NAMES.split())
_CLAUSE_WORDS = frozenset(_CLAUSES.split())
_STATEMENT_WORDS = 40
_HOLDER_WORDS = 12

# Places where a text names its holder (any stands for all), and words that change nothing.
_HOLDERS = tuple(
    (tuple(before.split()), tuple(after.split()))
    for before, after in (
        ("neither the name of", "nor the names of"),
        ("neither the names of", "nor the names of"),
        ("neither the name of", "may be used"),
        ("the name of", "may not be used"),
        ("software is provided by", "as is"),
        ("as is and", "disclaims all warranties"),
        ("in no event shall", "be liable"),
        ("in no event will", "be liable"),
    )
)
_HOLDER_STARTS = frozenset(before[0] for before, _ in _HOLDERS)
_SAME_PHRASE = re.compile(
    r"\ball rights reserved\b|(?<=\band) or\b|\bcopyright c year name of author\b"
)


def identify(text: str) -> tuple[str, ...]:
    """Return the SPDX ids this text is the text of, () where it is none we know.

    Several ids share one text: the plain reading of the text alone comes first.
    """
    if len(text) > TEXT_LIMIT:
        return ()
    fingerprints, titles = _index()
    return tuple(fingerprints.get(fingerprint(text, titles), ()))


def spdx_ids() -> tuple[str, ...]:
    """Return the SPDX ids whose texts are known."""
    return tuple(sorted({id for ids in _index()[0].values() for id in ids}))


def fingerprint(text: str, titles: frozenset[str]) -> str:
    """Return the digest of a text's words; `titles` are opening lines that do not count."""
    lines = _without_titles(_without_statements(text.splitlines()), titles)
    words = _words(_NUMBERING.sub(" ", "\n".join(lines)))
    plain = _SAME_PHRASE.sub("", " ".join(words)).split()
    # Joined without spaces: "non-infringement" and "noninfringement" are one.
    joined = "".join(_without_holders(plain))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def squeeze(line: str) -> str:
    """Return a line's letters and digits alone, in lower case."""
    return "".join(_words(line))


def _words(text: str) -> list[str]:
    words = (m.group().lower() for m in _WORD.finditer(text))
    return [_SAME.get(w, w) for w in words]


def _without_titles(lines: list[str], titles: frozenset[str]) -> list[str]:
    start = 0
    for number, line in enumerate(lines):
        plain = squeeze(line)
        if plain and plain not in titles:
            break
        start = number + 1
    return lines[start:]


def _without_statements(lines: list[str]) -> list[str]:
    kept: list[str] = []
    budget = 0  # words the statement at hand may still have; 0 outside a statement
    for line in lines:
        if _STATEMENT.match(line):
            budget = _STATEMENT_WORDS
        elif not squeeze(line):
            budget = 0
        rest, budget = _after_statement(line, budget) if budget else (line, 0)
        kept.append(rest)
    return kept


def _after_statement(line: str, budget: int) -> tuple[str, int]:
    """Return what follows the part of the line that a copyright statement may hold."""
    unusual = 0
    for word in re.finditer(r"<[^<>]{1,80}>|\[[^\[\]]{1,80}\]|\S+", line):
        token = word.group()
        plain = squeeze(token)
        if not plain or token[0] in "<[" or "@" in token or "://" in token:
            continue
        lower = token[0].islower() and plain not in _NAME_WORDS
        unusual += lower
        if not _CLAUSE_WORDS.isdisjoint(_words(token)) or unusual > 2 or budget == 0:
            return line[word.start() :], 0
        budget -= 1
    return "", budget


def _without_holders(words: list[str]) -> list[str]:
    found: list[str] = []
    position = 0
    while position < len(words):
        skip = _holder(words, position) if words[position] in _HOLDER_STARTS else 0
        found.append("X" if skip else words[position])
        position += skip or 1
    return found


def _holder(words: list[str], position: int) -> int:
    """Return how many words from here name a holder with the phrase before, 0 for none."""
    for before, after in _HOLDERS:
        start = position + len(before)
        if tuple(words[position:start]) != before:
            continue
        for end in range(start + 1, min(start + _HOLDER_WORDS, len(words)) + 1):
            if words[end - 1] in _CLAUSE_WORDS:
                break
            if tuple(words[end : end + len(after)]) == after:
                return end - position
    return 0


@cache
def _index() -> tuple[dict[str, list[str]], frozenset[str]]:
    index: dict[str, Any] = strictjson.loads(FINGERPRINTS.read_bytes(), limit=_INDEX_LIMIT)
    return index["fingerprints"], frozenset(index["titles"])
