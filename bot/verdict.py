"""Outcomes, verdicts and the report every door renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.change import Change
from bot.exhibit import Exhibit
from bot.finding import Finding, Level

REPORT_VERSION = 1


class Outcome(StrEnum):
    """What a check says. ERROR is "could not tell"; it is never shown as neutral or skipped."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    PENDING = "pending"
    ERROR = "error"


# Worst first: an answer that is missing outweighs one that is known to be bad.
WORST_FIRST = (Outcome.ERROR, Outcome.FAIL, Outcome.PENDING, Outcome.PASS, Outcome.SKIP)
EXIT_CODES = {Outcome.FAIL: 1, Outcome.ERROR: 3, Outcome.PENDING: 3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check says about the change.

    `reason` is one line: why it was skipped or could not tell, or the summary of what was
    judged. `seconds` is wall-clock time.
    """

    check: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    exhibits: tuple[Exhibit, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Every verdict on one change. `policy` says where the policy came from."""

    change: Change
    policy: str
    verdicts: tuple[Verdict, ...]
    version: int = REPORT_VERSION

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all verdicts."""
        outcomes = {v.outcome for v in self.verdicts}
        return next((o for o in WORST_FIRST if o in outcomes), Outcome.SKIP)

    @property
    def exit_code(self) -> int:
        """0 pass, 1 findings fail, 3 could not tell."""
        return EXIT_CODES.get(self.outcome, 0)


def outcome_of(findings: tuple[Finding, ...]) -> Outcome:
    """Return what findings amount to: ERROR if one could not tell, FAIL if one fails."""
    levels = {f.severity for f in findings if f.counts}
    if Level.UNKNOWN in levels:
        return Outcome.ERROR
    return Outcome.FAIL if Level.FAILURE in levels else Outcome.PASS
