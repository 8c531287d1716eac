"""What the readable formats have in common: order, wording, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bot.finding import Finding, Level, Location
from bot.verdict import WORST_FIRST, Outcome, Report, Verdict
from bot.wording import plural

LEVELS = (Level.UNKNOWN, Level.FAILURE, Level.WARNING, Level.NOTE)
_PLURALS = {
    Level.UNKNOWN: ("open question", "open questions"),
    Level.FAILURE: ("failure", "failures"),
    Level.WARNING: ("warning", "warnings"),
    Level.NOTE: ("note", "notes"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule with one remedy, at several places."""

    rule: str
    severity: Level
    remedy: str
    findings: tuple[Finding, ...]


def place(location: Location) -> str:
    """Return "path:line", "commit 1a2b3c4d5e6f" or "" for the change as a whole."""
    if location.path:
        return f"{location.path}:{location.line}" if location.line else location.path
    return f"commit {location.commit[:12]}" if location.commit else ""


def worst_first(report: Report) -> tuple[Verdict, ...]:
    """Return the verdicts, worst first, otherwise in their order."""
    return tuple(sorted(report.verdicts, key=lambda v: WORST_FIRST.index(v.outcome)))


def groups(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """Group findings by rule and remedy, worst first."""
    found: dict[tuple[Level, str, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.severity, finding.rule, finding.remedy), []).append(finding)
    ordered = sorted(found.items(), key=lambda item: LEVELS.index(item[0][0]))
    return tuple(
        Group(rule, severity, remedy, tuple(sorted(members, key=lambda f: f.location)))
        for (severity, rule, remedy), members in ordered
    )


def blocking(report: Report) -> tuple[Finding, ...]:
    """Return the findings that block the change."""
    return tuple(f for v in report.verdicts for f in v.findings if f.counts)


def tally(findings: Iterable[Finding]) -> str:
    """Return "2 failures, 1 note, 1 waived", or ""."""
    findings = tuple(findings)
    counts = Counter(f.severity for f in findings if not f.waived)
    parts = [plural(counts[level], *_PLURALS[level]) for level in LEVELS if counts[level]]
    covered = sum(1 for f in findings if f.waived)
    return ", ".join([*parts, f"{covered:,} waived"] if covered else parts)


def headline(report: Report) -> str:
    """Say in one line what the verdict means."""
    answers = Counter(v.outcome for v in report.verdicts)
    blocks = len(blocking(report))
    stopped = f"{plural(blocks, 'finding')} {'blocks' if blocks == 1 else 'block'} this change"
    match report.outcome:
        case Outcome.ERROR:
            silent = f"{plural(answers[Outcome.ERROR], 'check')} could not tell"
            return f"{silent}, {stopped}" if blocks else silent
        case Outcome.FAIL:
            return stopped if blocks else f"{plural(answers[Outcome.FAIL], 'check')} failed"
        case Outcome.PENDING:
            return f"{plural(answers[Outcome.PENDING], 'check')} still to finish"
        case Outcome.PASS:
            return "nothing blocks this change"
    return "no check applies to this change"


def unsettled(report: Report) -> str:
    """Say that nothing is to be done until the checks that wait are settled."""
    names = [v.check for v in report.verdicts if v.outcome is Outcome.PENDING]
    return f"nothing until {' and '.join(names)} {'is' if len(names) == 1 else 'are'} settled"


def subject(report: Report) -> str:
    """Name what was judged: repository, number, commits, number of files."""
    change = report.change
    name = f"{change.repository} #{change.number}" if change.number else change.repository
    span = f"{change.base[:12]}..{change.head[:12]}"
    return ", ".join(filter(None, [name, span, plural(len(change.files), "changed file")]))


def steps(report: Report) -> tuple[Group, ...]:
    """Return what to do, most urgent first: one group for each remedy.

    A check that could not tell without a finding gives a group of its reason.
    """
    silent = tuple(
        Group(v.check, Level.UNKNOWN, _silence(v), ())
        for v in report.verdicts
        if v.outcome is Outcome.ERROR and not any(f.counts for f in v.findings)
    )
    return silent + groups(blocking(report))


def _silence(verdict: Verdict) -> str:
    return f"Settle why {verdict.check} could not tell: {verdict.reason or 'it gave no reason'}"


def places(group: Group, most: int = 3) -> str:
    """Name where a group's findings are: "a.py:1, b.py:2 and 4 more"."""
    names = list(dict.fromkeys(filter(None, (place(f.location) for f in group.findings))))
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")
