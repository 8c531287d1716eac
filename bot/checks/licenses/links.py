"""May code under the project's own licence link the packages that a change brings in?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.checks.dependencies.shown import shown
from bot.checks.licenses.packages import DENIED, Lists, Package, Packages, weight_of
from bot.finding import Finding, Level, Location, Rule
from registry.errors import BadFacts
from registry.licenses.expressions import weigh
from registry.licenses.terms.judging import judge as judge_tie
from registry.licenses.terms.values import Judgement

INCOMPATIBLE = Rule(
    "licenses/incompatible",
    Level.FAILURE,
    "A dependency's licence forbids code under the project's own licence to link it.",
    "What is published then breaks the terms of that package, whatever the lists allow.",
    "Choose another package, or publish under a licence that its terms accept.",
)
RULES = (INCOMPATIBLE,)
_QUOTE = 240  # characters of a clause
# Manifests of tools: nothing of what is published links these.
_TOOLS = re.compile(r"(?:dev|develop|tests?|testing|docs?|lint|ci)")
_WORDS = re.compile(r"[^A-Za-z0-9]")


def judge(packages: Packages, own: str, lists: Lists, *, commercial: bool) -> Iterator[Finding]:
    """Find packages that a work under `own` may not link, where the facts know both.

    A package that is denied is told already; one that only helps to build or test links nothing.
    """
    for package in packages.each if own else ():
        license = package.fact.license
        if not license or is_tool(package):
            continue
        if weigh(license, lambda leaf: weight_of(leaf, lists)) == DENIED:
            continue
        place = Location(package.path, package.line)
        try:
            found = _tie(license, own, commercial)
        except BadFacts as error:
            message = f"what {license} allows cannot be told: {error.message}"
            yield INCOMPATIBLE.at(message, place, remedy=error.hint, level=Level.UNKNOWN)
            continue
        if found.answer == "forbidden" and found.reasons:
            yield INCOMPATIBLE.at(_message(package, found), place)


@lru_cache(maxsize=1024)
def _tie(license: str, own: str, commercial: bool) -> Judgement:
    return judge_tie("links", license, own, commercial=commercial, what="code")


def _message(package: Package, found: Judgement) -> str:
    reason = found.reasons[0]
    quote = reason.quote if len(reason.quote) <= _QUOTE else reason.quote[:_QUOTE] + "[…]"
    name = shown(package.name + package.specifier)
    return (
        f"{name} is under {found.inbound}, which code under {found.outbound} may not link: "
        f'{reason.license} says "{quote}"; {reason.says}'
    )


def is_tool(package: Package) -> bool:
    """Whether a package is there to build, test or document what is published."""
    if package.group == "build" or package.group.startswith("group:"):
        return True
    words = _WORDS.split(package.path.rsplit("/", 1)[-1].partition(".")[0])
    extra = package.group.partition(":")[2]
    return any(_TOOLS.fullmatch(word.lower()) for word in (*words, extra))
