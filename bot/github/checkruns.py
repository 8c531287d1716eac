"""Verdicts as check runs: pure, within every limit GitHub states for them.

Limits (GitHub's OpenAPI description): title 255 characters, summary 65,535 bytes, 3 actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.finding import Finding, Level, Rule
from bot.github.values import Action, Annotation, Conclusion, RunBody, Target
from bot.report import render
from bot.report.neutral import cut, harmless, markdown
from bot.report.outline import LEVELS, headline, tally
from bot.verdict import Outcome, Report, Verdict

SUMMARY = "modelwarden"  # the name of the run that a branch may require
TITLE, MESSAGE = 255, 4_000  # characters
BYTES = 65_535  # of a summary
ANNOTATIONS = 150  # of one run; more is a flood, and the report holds all

APPROVE = Action("Approve GPU run", "Load and score the weights of this head", "approve")
WAIVE = Action("Waive…", "Show how to accept a finding for a while", "waive")
AGAIN = Action("Re-run", "Judge the same commits once more", "rerun")

_CONCLUSIONS = {
    Outcome.PASS: Conclusion.SUCCESS,
    Outcome.FAIL: Conclusion.FAILURE,
    Outcome.ERROR: Conclusion.FAILURE,
    Outcome.SKIP: Conclusion.SKIPPED,
    Outcome.PENDING: Conclusion.ACTION_REQUIRED,
}
_LEVELS = {
    Level.NOTE: "notice",
    Level.WARNING: "warning",
    Level.FAILURE: "failure",
    Level.UNKNOWN: "failure",
}


def name_of(check: str) -> str:
    """Return the run's name; "" is the summary's check."""
    return f"{SUMMARY} / {check}" if check else SUMMARY


def external_id(target: Target, check: str) -> str:
    """Return what identifies a run across crashes and machines."""
    return f"{target.key}:{check}"


def waiting(target: Target, check: str, url: str = "") -> RunBody:
    """Return a run that is under way."""
    title = "Judging the change" if check else "Waiting for every check"
    return _body(target, check, "in_progress", None, title, title + ".", url=url)


def stopped(target: Target, check: str, reason: str) -> RunBody:
    """Return a run that was ended before it had an answer."""
    return _body(
        target, check, "completed", Conclusion.CANCELLED, reason, _quoted(reason), (AGAIN,)
    )


def broken(target: Target, check: str, reason: str, remedy: str) -> RunBody:
    """Return a run that could not be judged: a failure, never neutral or skipped."""
    summary = f"Could not tell: {_quoted(reason)}\n\nWhat to do: {_quoted(remedy)}"
    return _body(target, check, "completed", Conclusion.FAILURE, reason, summary, (AGAIN,))


def concluded(
    target: Target,
    verdict: Verdict,
    report: Report,
    rules: Mapping[str, Rule],
    url: str = "",
    note: str = "",
) -> RunBody:
    """Return the run of one check; `report` says what was judged and by which policy.

    `note`, markdown of ours, is what people read of a check that waits.
    """
    alone = replace(report, verdicts=(verdict,))
    waits = note if verdict.outcome is Outcome.PENDING else ""
    title = tally(verdict.findings) or verdict.reason or verdict.outcome
    if waits:
        title = _first(waits)
    body = _body(
        target,
        verdict.check,
        "completed",
        _CONCLUSIONS[verdict.outcome],
        title,
        _noted(alone, rules, waits),
        _buttons(verdict),
        url,
    )
    return replace(body, annotations=annotated(verdict.findings))


def summarised(
    target: Target, report: Report, rules: Mapping[str, Rule], url: str = "", note: str = ""
) -> RunBody:
    """Return the summary run over all checks; `note` is markdown that comes first."""
    outcome = _CONCLUSIONS[report.outcome]
    if outcome is Conclusion.SKIPPED:  # every check said why it does not apply
        outcome = Conclusion.SUCCESS
    summary = _noted(report, rules, note)
    title = _first(note) if report.outcome is Outcome.PENDING and note else headline(report)
    return _body(target, "", "completed", outcome, title, summary, (AGAIN,), url)


def _first(note: str) -> str:
    return note.partition("\n")[0].lstrip("# ")


def _noted(report: Report, rules: Mapping[str, Rule], note: str) -> str:
    """Return the report as markdown, after the note, within what a summary may hold."""
    if not note:
        return render(report, "markdown", rules)
    text = render(report, "markdown", rules, room=BYTES - len(note.encode()) - 2)
    return f"{note}\n\n{text}"


def _buttons(verdict: Verdict) -> tuple[Action, ...]:
    if verdict.outcome is Outcome.PENDING:
        return (APPROVE,)
    if any(f.counts for f in verdict.findings):
        return (WAIVE, AGAIN)
    return (AGAIN,)


def annotated(findings: tuple[Finding, ...]) -> tuple[Annotation, ...]:
    """Return what can be shown at a line, worst first and bounded; waived findings are not."""
    placed = [f for f in findings if f.location.path and not f.waived]
    placed.sort(key=lambda f: (LEVELS.index(f.severity), f.location, f.rule, f.message))
    return tuple(map(_annotation, placed[:ANNOTATIONS]))


def _annotation(finding: Finding) -> Annotation:
    line = max(finding.location.line, 1)
    message = harmless(f"{finding.message}\n\n{finding.remedy}".replace("\n\n", " — "))
    return Annotation(
        finding.location.path,
        line,
        line,
        _LEVELS[finding.severity],
        cut(harmless(finding.rule), TITLE - 40),
        cut(message, MESSAGE),
    )


def _quoted(text: str) -> str:
    return markdown(harmless(text))


def _body(
    target: Target,
    check: str,
    status: str,
    conclusion: Conclusion | None,
    title: str,
    summary: str,
    actions: tuple[Action, ...] = (),
    url: str = "",
) -> RunBody:
    line = " ".join(harmless(title).split()) or "No more is known"
    return RunBody(
        name=name_of(check),
        head=target.head,
        external_id=external_id(target, check),
        status=status,
        conclusion=conclusion,
        title=line if len(line) <= TITLE else line[: TITLE - 1] + "…",
        summary=summary,
        actions=actions,
        details_url=url,
    )
