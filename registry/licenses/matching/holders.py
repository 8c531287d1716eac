"""Who holds the copyright: statements and names, which are no difference, and what hides in them.

Guarded on all sides: a statement ends at the first word that a clause could be made of.
"""

from __future__ import annotations

import re

# A copyright statement starts a line, and is not a sentence about copyright that was wrapped there.
_STATEMENT = re.compile(
    r"[\W_]*(?:[Pp]ortions\s+|[Aa]ll\s+|[Mm]odifications\s+|[Ss]ome\s+parts\s+)?(?:are\s+|is\s+)?"
    r"(?:(?i:copyright)[\s:,]*(?:\([cC]\)?|[©\d<\[])"
    r"|(?i:copyright)[\s:,]+(?!(?:(?i:notices?|holders?|owners?|laws?|licen[cs]es?|statements?"
    r"|interests?|and|or|in|to|on|is|as|treaty|act|protection|status|permission|rights?)\b))\w"
    r"|©|\([cC]\)\s*(?:(?i:copyright)\b|\d))"
)
# Lines about people that are no copyright statement.
_PEOPLE = re.compile(
    r"[\W_]*(?i:(?:authors?|maintainers?|contributors?)\s*:|written\s+by)\s+[^\W\d]"
)
_RESERVED = re.compile(r"[\W_]*all\s+rights\s+reserved[\W_]*", re.IGNORECASE)
_TOKEN = re.compile(r"<[^<>]{1,80}>|\[[^\[\]]{1,80}\]|\{[^{}]{1,80}\}|\S+")
_WORD = re.compile(r"[^\W_]+")
_NAMES = (
    "c copyright copyrights and the of by its their for et al all rights reserved contributors"
    " contributor affiliates authors author team developers present to de van von der da di as"
    " shown respective file portions parts project com org net http www year years name owner"
    " holder holders see"
)
_CLAUSES = (
    "permission permitted permits redistribution redistributions licensed license this everyone"
    " no not non only use used uses using may must shall without prohibited commercial"
    " noncommercial restricted forbidden excluded except require required grant granted you"
    " provided military research academic personal internal evaluation sale sell selling ban banned"
    " alone solely fee fees payment paid hobby hobbyists unless due restriction restrictions"
    " subject limited agree agreement consent approval never nobody none"
)
_NAME_WORDS = frozenset(_NAMES.split())
CLAUSE_WORDS = frozenset(_CLAUSES.split())
_STATEMENT_WORDS = 40
_HOLDER_WORDS = 12

# Places where a text names its holder; any name may stand there.
_PLACES = tuple(
    (tuple(before.split()), tuple(after.split()))
    for before, after in (
        ("neither the name of", "nor the names of"),
        ("neither the names of", "nor the names of"),
        ("neither the name of", "may be used"),
        ("neither the name of", "nor the name of"),
        ("neither the name", "nor the names of"),
        ("the name of", "may not be used"),
        ("the name of", "shall not be used"),
        ("the names", "must not be used"),
        ("the name", "must not be used"),
        ("software is provided by", "as is"),
        ("materials are provided by", "as is"),
        ("as is and", "disclaims all warranties"),
        ("as is and", "disclaim all warranties"),
        ("in no event shall", "be liable"),
        ("in no event will", "be liable"),
    )
)
_FIRST = frozenset(before[0] for before, _ in _PLACES)


def without_statements(text: str) -> list[tuple[int, int]]:
    """Return the parts of a text, as (start, end), that are no copyright statement."""
    kept: list[tuple[int, int]] = []
    place, budget = 0, 0  # words the statement at hand may still have; 0 outside a statement
    for line in text.splitlines(keepends=True):
        if _STATEMENT.match(line) or (_PEOPLE.match(line) and len(line) < 120):
            budget = _STATEMENT_WORDS
        elif not _WORD.search(line):
            budget = 0
        if _RESERVED.fullmatch(line):
            pass
        elif budget:
            rest, budget = _after(line, budget)
            if rest < len(line):
                kept.append((place + rest, place + len(line)))
        else:
            kept.append((place, place + len(line)))
        place += len(line)
    return kept


def _after(line: str, budget: int) -> tuple[int, int]:
    """Return where in the line the copyright statement ends, and the words left to it."""
    unusual = 0
    for found in _TOKEN.finditer(line):
        token = found[0]
        words = [word.lower() for word in _WORD.findall(token)]
        hidden = not CLAUSE_WORDS.isdisjoint(words)
        if not words or (not hidden and (token[0] in "<[{" or "@" in token or "://" in token)):
            continue
        unusual += token[0].islower() and "".join(words) not in _NAME_WORDS
        if hidden or unusual > 2 or budget == 0:
            return found.start(), 0
        budget -= 1
    return len(line), budget


def is_name(words: tuple[str, ...]) -> bool:
    """Whether these words may be the name of a holder, where a text has a place for one."""
    return len(words) <= _HOLDER_WORDS and CLAUSE_WORDS.isdisjoint(words)


def places(words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where the text names its holder, as (start, end) of the names."""
    found = []
    for position, word in enumerate(words):
        if word in _FIRST:
            found += _place(words, position)
    return found


def _place(words: tuple[str, ...], position: int) -> list[tuple[int, int]]:
    for before, after in _PLACES:
        start = position + len(before)
        if words[position:start] != before:
            continue
        for end in range(start, min(start + _HOLDER_WORDS, len(words)) + 1):
            if words[end : end + len(after)] == after:
                return [(start, end)]
            if end < len(words) and words[end] in CLAUSE_WORDS:
                break
    return []
