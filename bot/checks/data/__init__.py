"""Data: evaluation items in training data, and records that come twice."""

from __future__ import annotations

from bot.change import Change
from bot.checks.data import collecting, judging, rules, shown
from bot.checks.data.evidence import Evidence
from bot.checks.data.settings import Settings
from bot.checks.data.sources import is_data, is_sealed, may_track
from bot.exhibit import Exhibit
from bot.finding import Finding
from bot.patterns import compiled
from bot.wording import plural
from bot.world import World
from lab.data.records import kind_of

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

NAME = "data"
VERSION = 3
RULES = rules.RULES


def applies(change: Change, settings: Settings) -> str:
    """Apply where training data or an evaluation set changes, or what may track it."""
    patterns = tuple(map(compiled, (*settings.training, *settings.evaluation)))
    suites = {suite.path for suite in settings.suites}
    # A task file reads documents that lie beside it.
    beside = {path.rpartition("/")[0] for path in suites if not path.endswith(".jsonl")}
    for file in change.files:
        if is_data(file.path, patterns) or is_sealed(file.path, patterns):
            return ""
        if may_track(file.path) or file.path in suites:
            return ""
        if kind_of(file.path) and any(_below(file.path, folder) for folder in beside):
            return ""
    return "no training data or evaluation set changed"


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Search changed data for evaluation items, and compare its records with all others."""
    return collecting.collect(change, world, settings, f"{NAME}/{VERSION}")


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Decide, purely."""
    return judging.judge(evidence, settings)


def summary(evidence: Evidence) -> str:
    """Say what was searched for what."""
    files = plural(evidence.files, "changed data file")
    if not evidence.evaluated:
        return f"{files}; no evaluation set is configured, so none was looked for"
    short = f" ({evidence.unjudged:,} too short to look for)" if evidence.unjudged else ""
    items = plural(evidence.items, "evaluation item")
    return f"{files}, {plural(evidence.records, 'record')} searched for {items}{short}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show what leaks of each evaluation set, and how much comes twice."""
    return shown.tables(evidence)
