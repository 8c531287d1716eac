"""How much it weighs that a text says more than the licence it is nearest to.

A reader of words, not of law: what it finds harmless holds no word that refuses, limits or asks
for anything. So a sentence it cannot place is never let by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from registry.licenses.matching import Match
from registry.licenses.matching.values import Passage
from registry.licenses.terms.clauses import clauses, tags
from registry.licenses.terms.values import Tag

Weight = Literal["limits", "unclear", "harmless"]

CUT = "[…]"  # where `matching` shortened what it quotes
_SHORT = 3  # words: one of a known text replaced by another, as "not" for "nor"
_WORD = re.compile(r"[^\W_]+")
# Sentences that every licence has, or that only give.
_GIVING: frozenset[Tag] = frozenset(("warranty", "patent", "no_further_restrictions"))
# Clauses that take away, or bind to more than credit and notices. One of these in the text that
# a package ships makes its metadata worthless.
LIMITS: frozenset[Tag] = frozenset((
    "noncommercial", "research_only", "personal_only", "field_of_use", "use_restrictions",
    "output_training", "mau_threshold", "revenue_threshold", "no_derivatives", "no_distribution",
    "reverse_engineering", "share_alike", "network_share_alike", "registration", "naming",
))  # fmt: skip
_WORDS = (
    "not no never nor none neither only solely exclusively prohibited prohibits forbidden forbids"
    " restricted restricts restriction restrictions excluded excludes excluding limited limits"
    " banned barred denied refused cannot unless except without must shall required requires"
    " require obliged obligated condition conditions provided subject need needs agree agrees"
    " consent approval permission fee fees pay payment royalty royalties terminate terminates"
    " revoke revoked noncommercial noncommercially nonprofit commercial commercially research"
    " academic personal evaluation"
)
PURPOSES = frozenset(
    ("commercial", "commercially", "noncommercial", "research", "academic", "personal",
     "evaluation", "military", "nonprofit")
)  # fmt: skip
REFUSING = frozenset(_WORDS.split())


@dataclass(frozen=True, slots=True)
class Added:
    """Words that a licence text has and the known one has not, on a 1-based line.

    `tags` say what kind of clause they hold. `limits`: a clause that restricts or obliges, or a
    sentence with such words. `unclear`: a few such words, put in the place of others.
    """

    line: int
    text: str
    count: int
    tags: tuple[Tag, ...]
    weight: Weight


def added(text: str, match: Match) -> tuple[Added, ...]:
    """Return what a match adds in this text, each with its weight."""
    cut = frozenset(line for gap in match.dropped for line in range(gap.line - 1, gap.line + 2))
    return tuple(_weighed(text, one, replaced=one.line in cut) for one in match.added)


def restricting(text: str, match: Match) -> Added | None:
    """Return the first added passage that takes away: a clause of LIMITS, or one on purposes."""
    return next((one for one in added(text, match) if _takes_away(one)), None)


def _takes_away(one: Added) -> bool:
    said = (word.lower() for word in _WORD.findall(one.text))
    return not LIMITS.isdisjoint(one.tags) or (
        one.weight == "limits" and not PURPOSES.isdisjoint(said)
    )


def _weighed(text: str, passage: Passage, *, replaced: bool) -> Added:
    said = passage.text
    if CUT in said:
        said = _whole(text, passage)
        kinds = frozenset(f.tag for f in clauses(said) if not f.negated)
    else:
        kinds = tags(said)
    heavy = not REFUSING.isdisjoint(word.lower() for word in _WORD.findall(said))
    weight: Weight = "harmless"
    if kinds - _GIVING or (heavy and not (replaced and passage.count <= _SHORT)):
        weight = "limits"
    elif heavy:
        weight = "unclear"
    return Added(passage.line, passage.text, passage.count, tuple(sorted(kinds)), weight)


def _whole(text: str, passage: Passage) -> str:
    """Return the lines a passage stands on: what is quoted of a long one lacks its middle."""
    lines = text.split("\n")[passage.line - 1 :]
    words = 0
    for number, line in enumerate(lines[1:], 2):
        words += len(_WORD.findall(line))
        if words >= passage.count:
            return "\n".join(lines[:number])
    return "\n".join(lines)
