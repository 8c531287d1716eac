"""Findings from what was collected: new ones block, old ones are told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, Protocol

from bot.checks.advisories import rules
from bot.checks.advisories.evidence import Evidence, Hit
from bot.checks.dependencies.closure import way
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location
from bot.wording import plural
from registry.advisories.values import WEIGHT

MAX_GROUPS = 20  # advisories of one package told one by one
MAX_NOTES = 3  # packages with old advisories told one by one, the worst
MAX_NAMES = 12  # names of others
NAMED = 4  # ids in one message
Word = Literal["fail", "warn", "note"]
Bound = Literal["low", "moderate", "high", "critical"]
LEVELS: Mapping[Word, Level] = {
    "fail": Level.FAILURE, "warn": Level.WARNING, "note": Level.NOTE,
}  # fmt: skip


class Bounds(Protocol):
    """The part of the policy that says what blocks."""

    fail_at: Bound
    max_age_days: int
    malware: Word
    range_admits_malware: Word


def judge(evidence: Evidence, bounds: Bounds) -> tuple[Finding, ...]:
    """Return every finding."""
    return (
        *_database(evidence, bounds),
        *(rules.LOCAL.at(f"{p.path}: {shown(p.text)}", Location(p.path)) for p in evidence.local),
        *(rules.EXPIRED.at(shown(p.text), Location(p.path)) for p in evidence.expired),
        *(rules.UNREADABLE.at(f"cannot be read: {shown(p.text)}", Location(p.path, p.line))
          for p in evidence.unreadable),
        *_new([h for h in evidence.hits if not h.old], bounds),
        *_old([h for h in evidence.hits if h.old]),
        *_unresolved(evidence),
    )  # fmt: skip


def _database(evidence: Evidence, bounds: Bounds) -> Iterator[Finding]:
    if not evidence.fresh:
        return  # nothing new is asked for, so there is nothing to be looked up
    # Which version a range will be is not known anyway, and is told as that: not clean.
    level = Level.UNKNOWN if evidence.exact or not evidence.missing else Level.WARNING
    told = plural(evidence.fresh, "package")
    if evidence.trouble:
        remedy = rules.NO_DATABASE.remedy if evidence.missing else evidence.advice
        why = "there is no database of advisories" if evidence.missing else evidence.trouble
        message = f"{shown(why)}: {told} of the change not looked up"
        yield rules.NO_DATABASE.at(message, remedy=remedy, level=level)
    elif evidence.age > bounds.max_age_days:
        yield rules.TOO_OLD.at(
            f"the advisories are of {evidence.date}, {evidence.age:,} days old; at most "
            f"{bounds.max_age_days} are allowed"
        )
    elif evidence.age < -1:
        remedy = "Set the clock of this machine, then build the database again."
        yield rules.TOO_OLD.at(
            f"the advisories are of {evidence.date}, a day to come: their age is not known",
            remedy=remedy,
        )


def _new(hits: list[Hit], bounds: Bounds) -> Iterator[Finding]:
    packages: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        packages.setdefault((hit.path, hit.name), []).append(hit)
    for of in packages.values():
        of.sort(key=lambda h: (not h.malware, -WEIGHT[h.severity], h.group))
        yield from (_on_its_way(hit, bounds) for hit in of[:MAX_GROUPS])
        if rest := of[MAX_GROUPS:]:
            worst = max((_finding(hit, bounds) for hit in rest), key=_weight)
            count = plural(len(rest), "more advisory", "more advisories")
            yield Finding(worst.rule, worst.severity,
                          f"{of[0].name} {shown(of[0].asked)} is affected by {count}",
                          worst.remedy, worst.location)  # fmt: skip


def _weight(finding: Finding) -> int:
    order = (Level.NOTE, Level.WARNING, Level.FAILURE, Level.UNKNOWN)
    return order.index(finding.severity)


def _on_its_way(hit: Hit, bounds: Bounds) -> Finding:
    finding = _finding(hit, bounds)
    if len(hit.via) < 2:
        return finding  # asked for by name, or nobody knows why it is there
    return replace(finding, message=f"{finding.message}; it comes in through {way(hit.via)}")


def _finding(hit: Hit, bounds: Bounds) -> Finding:
    place, asked = Location(hit.path, hit.line), shown(hit.asked) or "any version"
    about = f"{_some(hit.ids)}{f': {shown(hit.summary)}' if hit.summary else ''}"
    if hit.how == "undecided":
        return rules.UNDECIDED.at(f"{hit.name} {asked} may be affected by {about}", place)
    if hit.malware and hit.how == "pinned":
        return rules.MALWARE.at(f"{hit.name} {asked} is malicious, {about}", place,
                                level=LEVELS[bounds.malware])  # fmt: skip
    if hit.malware:
        wanted = ",".join(filter(None, (hit.asked, hit.fixed)))
        remedy = f"Write {hit.name}{shown(wanted)}, or pin another version." if hit.fixed else ""
        return rules.ADMITS.at(f"{hit.name} {asked} admits a malicious version, {about}", place,
                               remedy=remedy, level=LEVELS[bounds.range_admits_malware],
                               )  # fmt: skip
    level = Level.FAILURE if WEIGHT[hit.severity] >= WEIGHT[bounds.fail_at] else Level.WARNING
    rated = "not rated" if hit.severity == "unknown" else hit.severity
    if hit.how == "pinned":
        remedy = f"Take {hit.name} {hit.fixed} or newer." if hit.fixed else (
            "No fixed version is known: choose another package, or state in `advisories.local` "
            "why it is harmless here.")  # fmt: skip
        message = f"{hit.name} {asked} is affected by {about} ({rated})"
        return rules.VULNERABLE.at(message, place, remedy=remedy, level=level)
    whole = hit.how == "only"
    what = "every version" if whole else "the newest version"
    message = f"{what} that {hit.name} {asked} admits is affected by {about} ({rated})"
    return rules.RANGE.at(message, place, level=level if whole else Level.WARNING)


def _some(ids: Iterable[str], most: int = NAMED) -> str:
    known = list(ids)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more


def _old(hits: list[Hit]) -> Iterator[Finding]:
    packages: dict[str, list[Hit]] = {}
    for hit in hits:
        packages.setdefault(hit.name, []).append(hit)
    # A lock of a few hundred has a dozen of them at any time: the worst are told one by one, the
    # table has all.
    worst = sorted(packages, key=lambda name: max(map(_worse, packages[name])), reverse=True)
    for name in worst[:MAX_NOTES]:
        of = packages[name]
        ids = _some(dict.fromkeys(h.group for h in of))
        yield rules.KNOWN.at(
            f"{name}: {ids}, as before this change", Location(of[0].path, of[0].line)
        )
    if rest := worst[MAX_NOTES:]:
        left, first = plural(len(rest), "more package"), packages[rest[0]][0]
        yield rules.KNOWN.at(
            f"{left} with advisories, as before this change: {_some(rest, MAX_NAMES)}",
            Location(first.path, first.line),
        )


def _worse(hit: Hit) -> tuple[bool, int]:
    return hit.malware, WEIGHT[hit.severity]


def _unresolved(evidence: Evidence) -> Iterator[Finding]:
    files: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for place in evidence.unresolved:
        texts = files.setdefault(place.path, [])
        texts += [place.text] if place.text not in texts else []
        lines.setdefault(place.path, place.line)
    for path, texts in files.items():
        more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
        told = "; ".join(map(shown, texts[:NAMED])) + more
        yield rules.UNRESOLVED.at(
            f"not resolved, so not clean: {told}", Location(path, lines[path])
        )
