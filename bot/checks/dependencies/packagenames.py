"""Names of added packages: new here, close to a well-known one, or not what they look like."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from registry.manifests.difference import Delta
from registry.manifests.lookalike import resembled
from registry.manifests.popular import is_popular

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
RULES = (CONFUSABLE, LOOKALIKE, NEW_NAME)


def judge_name(delta: Delta, known: frozenset[str], *, in_lock: bool) -> Iterator[Finding]:
    """Judge the name of one added requirement. `known` are the names in use before."""
    if delta.after is None:
        return
    after = delta.after.requirement
    before = delta.before.requirement.raw if delta.before else ""
    place = Location(delta.after.path, after.line)
    if not after.raw.isascii() and before != after.raw:
        yield CONFUSABLE.at(f"{ascii(after.raw[:80])[1:-1]} is not an ASCII name", place)
        return
    if not after.name or after.name in known or after.is_local:
        return
    if after.ecosystem == "pypi" and (other := resembled(after.name)):
        # In a lock it may be what a known package needs, under a name nobody here chose.
        level = Level.FAILURE if other.sure and not in_lock else Level.WARNING
        message = f"{shown(after.raw)} looks like {other.other}: {other.slip}"
        yield LOOKALIKE.at(message, place, level=level)
    elif not in_lock:
        kind = "a well-known package" if is_popular(after.name) else "not a well-known package"
        yield NEW_NAME.at(f"{shown(after.raw)} is new here, {kind}", place)
