"""Sign-offs given afterwards: remediation commits, as the DCO app defines their lines.

`I, NAME <EMAIL>, hereby add my Signed-off-by to this commit: ID`, and for another person
`On behalf of NAME <EMAIL>, I, NAME <EMAIL>, hereby add my Signed-off-by to this commit: ID`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.checks.contributors.person import Person, person

Mode = Literal["off", "individual", "third-party"]

MAX_LINE = 1_000  # characters of one such line
MAX_LINES = 1_000  # in one commit
_OWN, _OTHER, _AND = "i, ", "on behalf of ", ">, i, "
_END = ", hereby add my signed-off-by to this commit: "
_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Remediation:
    """`writer` signs commit `commit` off for `signer`, who is the writer unless it says so."""

    commit: str
    signer: Person
    writer: Person


def parse(message: str) -> tuple[Remediation, ...]:
    """Return the remediations a message states, each on a line of its own from its first letter."""
    if _END not in message.translate(_LOWER):
        return ()
    found: dict[Remediation, None] = {}
    for remediation in _each(message.partition("\0")[0]):
        found[remediation] = None
        if len(found) == MAX_LINES:
            break
    return tuple(found)


def _each(message: str) -> Iterator[Remediation]:
    for line in message.split("\n"):
        found = _line(line.rstrip(" \t\r")) if len(line) <= MAX_LINE else None
        if found is not None:
            yield found


def _line(line: str) -> Remediation | None:
    # One fold for what is compared, cut at the same places: only ASCII changes, so no length does.
    folded = line.translate(_LOWER)
    at = folded.find(_END)
    commit = line[at + len(_END) :]
    if at < 0 or not _ID.fullmatch(commit):
        return None
    if folded.startswith(_OWN):
        who = _person(line[len(_OWN) : at])
        return Remediation(commit, who, who) if who else None
    parts = folded[:at].split(_AND)
    if not folded.startswith(_OTHER) or len(parts) != 2:
        return None
    middle = len(parts[0]) + 1
    signer = _person(line[len(_OTHER) : middle])
    writer = _person(line[middle + len(_AND) - 1 : at])
    return Remediation(commit, signer, writer) if signer and writer else None


def _person(text: str) -> Person | None:
    """Read `Name <address>` and nothing else; a second bracket makes it nobody."""
    found = person(text)
    clean = text.count("<") == text.count(">") == 1 and text.endswith(">")
    return found if clean and found.usable else None


def wording(who: Person, commit: str) -> str:
    """Return the line by which `who` signs a commit off afterwards."""
    return f"I, {who.shown}, hereby add my Signed-off-by to this commit: {commit}"


@dataclass(frozen=True, slots=True)
class Stated:
    """One commit that states remediations: who wrote it, and whether that person signed it."""

    author: Person
    signed: bool
    remediations: tuple[Remediation, ...]


def signers(stated: tuple[Stated, ...], mode: Mode) -> Mapping[str, frozenset[str]]:
    """Return which addresses (as keys) have signed which commit off afterwards.

    Only the author of the remediating commit may speak, and only where it is itself signed off
    by that address: a remediation cannot be remediated.
    """
    found: dict[str, set[str]] = {}
    for each in stated if mode != "off" else ():
        for said in each.remediations if each.signed else ():
            own = said.signer.key == said.writer.key
            if said.writer.key == each.author.key and (own or mode == "third-party"):
                found.setdefault(said.commit, set()).add(said.signer.key)
    return {commit: frozenset(keys) for commit, keys in found.items()}
