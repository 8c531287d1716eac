"""What the licence texts that a package ships say: more than its metadata, where they disagree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from registry.errors import UnreadableText
from registry.licenses.differences import REFUSING, restricting
from registry.licenses.expressions import LicenseError, leaves, normalise
from registry.licenses.letters import plain
from registry.licenses.matching import TEXT_LIMIT, Match, match, references
from registry.licenses.parted import joined

_LEAST = 0.8  # of a known text: with less of it a text is another one
_NOTICE = 3_000  # characters: a longer text is no mere pointer to a licence
_QUOTE = 160  # characters of a passage in a reason
_MOST = 4  # licences named in one reason

# "Copyright (c) 2019-2024 Ada Lovelace and others".
_HOLDER = re.compile(r"Copyright (?:\([Cc]\)|©)? ?[0-9][0-9, -]{3,40} (.{1,100})")
_NAME = re.compile(r"[A-Z][A-Za-z.,'-]{0,30}|by|and|contributors|others")
_MOST_NAMES = 8
_USES = frozenset(
    ("use", "uses", "used", "may", "sell", "distribute", "modify", "copy", "license", "licensed")
)


@dataclass(frozen=True, slots=True)
class Shipped:
    """What one text says: the licences in it (ids of each, the plain reading first).

    Where it holds none, `names` is the one licence or choice that it names. `limits` says which
    clause is added to the first licence that restricts what it grants.
    """

    licences: tuple[tuple[str, ...], ...] = ()
    names: str = ""
    limits: str = ""

    @property
    def known(self) -> bool:
        """Whether it says anything of a licence."""
        return bool(self.licences or self.names)


def read(text: str) -> Shipped:
    """Read one text; one that cannot be compared says nothing."""
    if len(text) > TEXT_LIMIT:
        return Shipped()
    lines = plain(text).splitlines()  # as a person sees its letters
    return _read("\n".join(line for line in lines if not _is_holder(line)))


def _is_holder(line: str) -> bool:
    """Whether a line says no more than who holds the copyright, in names without a doubt.

    Texts that differ in these alone are compared once.
    """
    said = _HOLDER.fullmatch(line.strip())
    words = said[1].split() if said is not None else []
    return 0 < len(words) <= _MOST_NAMES and all(
        _NAME.fullmatch(word) and word.lower().strip(".,'") not in REFUSING | _USES
        for word in words
    )


@lru_cache(maxsize=256)
def _read(text: str) -> Shipped:
    try:
        found = [one for one in joined(text, match(text)) if one.coverage >= _LEAST]
    except UnreadableText:
        return Shipped()
    choice = _named(text, found)
    if not found or choice:
        return Shipped(names=choice)
    limit = restricting(text, found[0])
    said = f'{found[0].ids[0]} and besides "{_short(limit.text)}"' if limit else ""
    return Shipped(tuple(one.ids for one in found), "", said)


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= _QUOTE else printable[:_QUOTE] + "[…]"


def _named(text: str, found: Sequence[Match]) -> str:
    """Return what a pointer names, or the choice that stands above the texts of all it names."""
    if (not found and len(text) > _NOTICE) or len(found) == 1:
        return ""
    named = {_expression(id) for id, _ in references(text)} - {""}
    if not found:
        return named.pop() if len(named) == 1 else ""
    choices = [one for one in named if " OR " in one and _is_of(one, found)]
    return choices[0] if len(choices) == 1 else ""


def _is_of(choice: str, found: Sequence[Match]) -> bool:
    ids = leaves(choice)
    return all(not set(one.ids).isdisjoint(ids) for one in found)


def _expression(text: str) -> str:
    try:
        return normalise(text)
    except LicenseError:
        return ""


def listed(shipped: Iterable[Shipped]) -> str:
    """Return the licences of some texts, for a sentence: "Apache-2.0, MIT"."""
    named = [name for one in shipped for name in (*(ids[0] for ids in one.licences), one.names)]
    several = [name for name in dict.fromkeys(named) if name]
    return ", ".join(several[:_MOST]) + (" and others" if len(several) > _MOST else "")
