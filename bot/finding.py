"""Rules and findings: what a check can say, and one place where it says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs. UNKNOWN means "could not tell" and blocks like a failure."""

    NOTE = "note"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in the head tree (`path`, 1-based `line`) or a commit; all empty: the change."""

    path: str = ""
    line: int = 0
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about the change. `rule` is "check/slug", stable and documented.

    `waived` holds the reason of the waiver that covers it; a waived finding does not count.
    """

    rule: str
    severity: Level
    message: str
    remedy: str
    location: Location = Location()
    waived: str = ""

    @property
    def counts(self) -> bool:
        """Whether the finding blocks the change."""
        return not self.waived and self.severity in (Level.FAILURE, Level.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Rule:
    """A documented rule: `finds` and `why` are one line each, `remedy` says what to do."""

    id: str
    level: Level
    finds: str
    why: str
    remedy: str

    def at(
        self,
        message: str,
        location: Location = Location(),
        *,
        remedy: str = "",
        level: Level | None = None,
    ) -> Finding:
        """Return a finding of this rule; `remedy` and `level` default to the rule's own."""
        return Finding(self.id, level or self.level, message, remedy or self.remedy, location)


def waived(finding: Finding, reason: str) -> Finding:
    """Return the finding marked as waived for this reason."""
    return replace(finding, waived=reason)
