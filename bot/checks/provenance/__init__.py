"""Provenance: other people's work in a change, the register that says where it is from, NOTICE."""

from __future__ import annotations

from bot.change import Change
from bot.checks.provenance import collecting, judging, rules
from bot.checks.provenance.evidence import Evidence
from bot.checks.provenance.settings import Settings
from bot.exhibit import Exhibit
from bot.finding import Finding
from bot.wording import plural
from bot.world import World

NAME = "provenance"
VERSION = 2
RULES = rules.RULES

__all__ = ["NAME", "RULES", "VERSION", "Evidence", "Settings", "applies", "collect", "exhibits",
           "judge", "summary"]  # fmt: skip


def applies(change: Change, settings: Settings) -> str:
    """Apply to every change: any file may be somebody else's."""
    return ""


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the added lines, and what the register has of the files they are in."""
    return collecting.collect(change, world, settings)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Decide, purely."""
    return judging.judge(evidence, settings)


def summary(evidence: Evidence) -> str:
    """Count what was read and compared."""
    parts = [f"{plural(evidence.files, 'source file')} read"]
    if evidence.entries:
        compared = len(evidence.registered)
        parts.append(f"{compared:,} of {plural(evidence.entries, 'registered thing')} compared")
    else:
        parts.append("no register")
    return "; ".join(parts)


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Nothing to draw."""
    return ()
