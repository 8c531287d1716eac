"""Kept reports as one HTML report: what needed no model and what was measured, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.errors import CouldNotTell
from bot.finding import Rule
from bot.report import render
from bot.report.read import load
from bot.serve.contract import Judged
from bot.verdict import Report


class Unreadable(CouldNotTell):
    """A kept report that is not one, or is about something else."""


def document(parts: Sequence[Judged], rules: Mapping[str, Rule]) -> tuple[str, str]:
    """Return the report as HTML, and a sentence on what is left out, "" where nothing is.

    Parts that are about other commits than the newest one are left out. Raises CouldNotTell.
    """
    newest = max(parts, key=lambda j: j.at)
    same = [j for j in parts if _commits(j) == _commits(newest)]
    report = _merged([_read(j) for j in sorted(same, key=lambda j: (j.part != "static", j.at))])
    left = sorted(j.part for j in parts if _commits(j) != _commits(newest))
    note = f"Left out, as it is about other commits: {', '.join(left)}." if left else ""
    return render(report, "html", rules, timings=any(v.seconds for v in report.verdicts)), note


def _commits(judged: Judged) -> tuple[str, str]:
    return judged.target.head, judged.target.base


def _read(judged: Judged) -> Report:
    report = load(judged.report)
    if (report.change.head, report.change.base) != _commits(judged):
        raise Unreadable("a kept report is about other commits", "have the change judged again")
    return report


def _merged(reports: Sequence[Report]) -> Report:
    """Put verdicts together; where two parts say something of a check, the later one counts."""
    verdicts = {v.check: v for report in reports for v in report.verdicts}
    return replace(reports[0], verdicts=tuple(verdicts.values()))
