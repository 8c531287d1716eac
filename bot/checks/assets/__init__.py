"""Models and data: what a change uses, under which licence, and whether that may be published."""

from __future__ import annotations

from bot.change import Change
from bot.checks.assets import collecting, judging, rules
from bot.checks.assets.evidence import Evidence, Placed
from bot.checks.assets.files import is_license_file
from bot.checks.assets.settings import Settings
from bot.checks.assets.weighing import weigh
from bot.checks.dependencies.shown import shown
from bot.exhibit import Exhibit, Table
from bot.finding import Finding
from bot.wording import plural
from bot.world import World
from registry.assets.reading import kind_of
from registry.errors import BadFacts

__all__ = [
    "NAME",
    "RULES",
    "VERSION",
    "Evidence",
    "Settings",
    "applies",
    "collect",
    "exhibits",
    "judge",
    "summary",
]

NAME = "assets"
VERSION = 1
RULES = rules.RULES
SHOWN = 200  # rows of the table


def applies(change: Change, settings: Settings) -> str:
    """Cards, configurations, notebooks and code name models and data; licences bear on them."""
    if any(kind_of(f.path) or is_license_file(f.path) for f in change.files):
        return ""
    return "no card, configuration, code or licence file changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read what the change brings in, and what its licences bear on besides."""
    return collecting.collect(change, world, settings)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Give a verdict on each use, with the clause."""
    return judging.judge(evidence, settings)


def summary(evidence: Evidence) -> str:
    """Say how many uses were judged, and how far their licences are known."""
    assets = {p.asset.name: p.asset for p in evidence.placed}
    known = sum(any(s.license for s in a.sources) or bool(a.path) for a in assets.values())
    counted = plural(len(assets), "model or data set", "models or data sets")
    parts = [f"{known:,} of {counted} of known licence"]
    if not assets:
        parts = ["no model or data set added"]
    if evidence.computed:
        parts.append(f"{plural(evidence.computed, 'name')} computed by code")
    if evidence.elsewhere:
        parts.append(f"{plural(evidence.elsewhere, 'path')} outside the repository")
    if evidence.imported:
        parts.append(f"provenance of {evidence.imported}")
    return "; ".join(parts)


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show each use: the asset, how it is tied, its licence and from where, and the verdict."""
    rows = tuple(_row(p, settings) for p in evidence.placed[:SHOWN])
    if not rows:
        return ()
    title = "Models and data"
    if len(evidence.placed) > SHOWN:
        title += f" (the first {SHOWN} of {len(evidence.placed):,})"
    return (Table(title, ("asset", "tie", "licence", "from", "verdict", "place"), rows),)


def _row(placed: Placed, settings: Settings) -> tuple[str, ...]:
    place = f"{shown(placed.path)}:{placed.use.line}"
    name, tie = shown(placed.use.name), placed.use.tie
    try:
        weighed = weigh(placed, settings)
    except BadFacts:
        return (name, tie, "-", "-", "unknown", place)
    if weighed is None:
        return (name, tie, "-", "this repository", "own work", place)
    limited = weighed.limited and weighed.answer == "conditions"
    answer = "not commercially" if limited else weighed.answer
    return (name, tie, shown(weighed.license) or "unknown", shown(weighed.source) or "-",
            answer, place)  # fmt: skip
