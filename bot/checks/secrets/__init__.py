"""Secrets and personal data: what the added lines of a change hold that nobody should publish."""

from __future__ import annotations

from bot.change import Change
from bot.checks.secrets import collecting, judging, rules
from bot.checks.secrets.evidence import Evidence
from bot.checks.secrets.settings import Settings
from bot.exhibit import Exhibit
from bot.finding import Finding
from bot.wording import plural
from bot.world import World
from security.secrets.finding import PLAIN

NAME = "secrets"
VERSION = 2  # goes up with any change to the rules of security.secrets
RULES = rules.RULES

__all__ = ["NAME", "RULES", "VERSION", "Evidence", "Settings", "applies", "collect", "exhibits",
           "judge", "summary"]  # fmt: skip


def applies(change: Change, settings: Settings) -> str:
    """Apply to every change: its commit messages count too."""
    return ""


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Scan what the change adds; values are replaced by marks at once."""
    maker = f"{NAME}/{VERSION}/{settings.max_file_bytes}"
    return collecting.collect(change, world, settings, maker)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Decide, purely."""
    return judging.judge(evidence, settings)


def summary(evidence: Evidence) -> str:
    """Count what was read, and say by what."""
    parts = [f"{plural(evidence.files, 'file')}, {plural(evidence.size, 'added byte')} scanned"]
    if evidence.binaries:
        parts.append(f"{plural(evidence.binaries, 'binary file')} not")
    if evidence.unseen:
        parts.append(f"{plural(len(evidence.unseen), 'pointer')} without content")
    if evidence.engine == PLAIN:
        parts.append("without google-re2, more slowly")
    return "; ".join(parts)


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Nothing to draw."""
    return ()
