"""How old a release is that a change takes in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from bot.checks.dependencies.lore import Lore
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from registry.manifests.difference import Delta
from registry.manifests.requirement import Requirement
from registry.moments import days_between

Young = Literal["fail", "review"]
SHOWN = 10  # releases told one by one

YOUNG = Rule(
    "dependencies/young-release",
    Level.WARNING,
    "A version that the change takes in was uploaded only days before.",
    "Hijacked releases are mostly found and withdrawn within days.",
    "Take an older version, or wait and commit again: the age is counted to the head commit.",
)
RULES = (YOUNG,)


def judge(deltas: Iterable[Delta], lore: Lore, days: int, weight: Young) -> Iterator[Finding]:
    """Judge the age of each version that is new, where a lock or the index said when it came."""
    level = Level.FAILURE if weight == "fail" else Level.WARNING
    known = {(r.name, r.version): r.uploaded for r in lore.releases}
    told = set[tuple[str, str]]()
    for delta in deltas:
        if delta.after is None:
            continue
        found = delta.after.requirement
        key = (found.name, found.version)
        uploaded = found.uploaded or known.get(key, "")
        age = days_between(uploaded, lore.when)
        if _is_old(delta, found) or age is None or age >= days or key in told:
            continue
        told.add(key)
        if len(told) <= SHOWN:
            place = Location(delta.after.path, found.line)
            yield YOUNG.at(_message(found, uploaded, age), place, level=level)
    if len(told) > SHOWN:
        yield YOUNG.at(f"{len(told) - SHOWN:,} more young releases", level=level)


def _is_old(delta: Delta, found: Requirement) -> bool:
    before = delta.before.requirement if delta.before else None
    return not found.version or (before is not None and before.version == found.version)


def _message(found: Requirement, uploaded: str, age: int) -> str:
    name = f"{shown(found.raw)} {shown(found.version)}"
    if age < 0:
        return f"{name} was uploaded after the change was committed, on {uploaded[:10]}"
    return f"{name} was uploaded {plural(age, 'day')} before, on {uploaded[:10]}"
