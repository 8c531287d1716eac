"""Names of added packages: new here, close to a well-known one, or known to nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from bot.checks.dependencies.confusion import is_private
from bot.checks.dependencies.lore import Lore
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from registry.manifests import LOCKS
from registry.manifests.difference import Delta, Placed
from registry.manifests.lookalike import resembled
from registry.manifests.popular import is_popular
from registry.moments import days_between

NewName = Literal["review", "note", "off"]
MAX_COMPARED = 5_000  # new names that are not well known, held against those that are
SHOWN = 20  # new names said one by one, and unknown ones
NEW_PROJECT = 90  # days in which a project counts as new on its index
UPDATE = "modelwarden watch licenses --update"

CONFUSABLE = Rule(
    "dependencies/confusable",
    Level.FAILURE,
    "A package name holds letters that are not ASCII.",
    "No index has such names; look-alike letters hide what is really meant.",
    "Write the name in plain ASCII letters.",
)
LOOKALIKE = Rule(
    "dependencies/lookalike",
    Level.FAILURE,
    "An added package's name is a slip away from that of a well-known one.",
    "Malicious packages wait under names that are easily mistyped.",
    "Check the name; if it is meant, list it in `dependencies.known_names`.",
)
NEW_NAME = Rule(
    "dependencies/new-name",
    Level.NOTE,
    "A package is used for the first time here.",
    "New code joins the project, and invented names are registered by others.",
    "Check that it is the package you mean, who maintains it and its licence.",
)
UNKNOWN_NAME = Rule(
    "dependencies/unknown-name",
    Level.WARNING,
    "An added package is not well known, not installed, and in no lock, fact or advisory at hand.",
    "Names are invented, by people and by models, and whoever registers them first is installed.",
    f"Look it up; then `{UPDATE}` proves that it exists, and since when.",
)
NO_SUCH = Rule(
    "dependencies/no-such-package",
    Level.FAILURE,
    "An added package did not exist when the index was asked.",
    "Anybody can register the name, and would be installed by everybody who trusts this line.",
    f"Correct or remove the name; if it was published since, run `{UPDATE}`.",
)
RULES = (CONFUSABLE, LOOKALIKE, NEW_NAME, UNKNOWN_NAME, NO_SUCH)


@dataclass(frozen=True, slots=True)
class Names:
    """What names are held against: those in use (`known`), private patterns, what is at hand.

    `elsewhere` are manifests that name an index, so the one that was asked may not be theirs.
    """

    known: frozenset[str]
    private: tuple[str, ...] = ()
    lore: Lore = field(default_factory=Lore)
    weight: NewName = "note"
    elsewhere: frozenset[str] = frozenset()


def judge(deltas: Iterable[Delta], names: Names) -> Iterator[Finding]:
    """Judge the name of each added requirement, once."""
    seen = set(names.known)
    told = Counter[str]()
    obscure = 0
    # Requirements come before locks, so that a name is judged on the line somebody wrote.
    for delta in sorted(deltas, key=lambda d: d.after is not None and d.after.kind in LOCKS):
        if delta.after is None:
            continue
        name = delta.after.requirement.name
        obscure += name not in seen and not is_popular(name)
        if obscure > MAX_COMPARED:
            message = f"more than {MAX_COMPARED:,} new names, the others were not compared"
            yield LOOKALIKE.at(message, Location(delta.after.path), level=Level.UNKNOWN)
            break
        for finding in _judge(delta.after, delta.before, names, seen):
            told[finding.rule] += 1
            if finding.rule not in (NEW_NAME.id, UNKNOWN_NAME.id) or told[finding.rule] <= SHOWN:
                yield finding
        seen.add(name)
    if (more := told[UNKNOWN_NAME.id] - SHOWN) > 0:
        yield UNKNOWN_NAME.at(f"{plural(more, 'more name')} that nobody here knows")


def _judge(
    placed: Placed, before: Placed | None, names: Names, seen: set[str]
) -> Iterator[Finding]:
    after = placed.requirement
    place, in_lock = Location(placed.path, after.line), placed.kind in LOCKS
    if not after.raw.isascii() and (before is None or before.requirement.raw != after.raw):
        yield CONFUSABLE.at(f"{ascii(after.raw[:80])[1:-1]} is not an ASCII name", place)
        return
    if not after.name or after.name in seen or after.is_local:
        return
    if after.ecosystem == "pypi" and (other := resembled(after.name)):
        # In a lock it may be what a known package needs, under a name nobody here chose.
        level = Level.FAILURE if other.sure and not in_lock else Level.WARNING
        message = f"{shown(after.raw)} looks like {other.other}: {other.slip}"
        yield LOOKALIKE.at(message, place, level=level)
    elif not in_lock:
        yield from _new(placed, place, names)


def _new(placed: Placed, place: Location, names: Names) -> Iterator[Finding]:
    after, lore = placed.requirement, names.lore
    raw = shown(after.raw)
    if is_popular(after.name):
        if names.weight != "off":
            yield NEW_NAME.at(f"{raw} is new here, a well-known package", place)
        return
    obscure = f"{raw} is new here, not a well-known package"
    plain = after.ecosystem == "pypi" and not after.url
    if plain and not is_private(after.name, names.private):
        asked = [p for p in lore.asked if p.name == after.name]
        if asked and not any(p.exists for p in asked):
            tied = bool(after.index) or placed.path in names.elsewhere
            when = max(p.asked for p in asked)
            message = f"{raw} was not on the index when it was asked on {when}"
            yield NO_SUCH.at(message, place, level=Level.WARNING if tied else Level.FAILURE)
            return
        if not asked and after.name not in lore.heard:
            yield UNKNOWN_NAME.at(f"{raw} is new here, and nobody here knows it", place)
            return
        # The oldest upload on any index: a name is as old as its first project.
        age = min((p.first for p in asked if p.first), default="")
        days = days_between(age, lore.when)
        if days is not None and days < NEW_PROJECT and names.weight != "off":
            message = f"{obscure}, first released {plural(max(days, 0), 'day')} before"
            yield NEW_NAME.at(f"{message}, on {age[:10]}", place, level=Level.WARNING)
            return
    if names.weight != "off":
        level = Level.WARNING if names.weight == "review" else Level.NOTE
        yield NEW_NAME.at(obscure, place, level=level)
