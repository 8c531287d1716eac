"""From kept reports to runs, summary and comment; and whether the weights may be loaded now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from bot import conduct
from bot.github import checkruns, comment
from bot.github.errors import Denied, NotFound
from bot.github.values import Api, Conclusion, Target
from bot.policy import default
from bot.report.neutral import harmless
from bot.report.read import load
from bot.serve.contract import Judged
from bot.serve.flows import leave, shared
from bot.serve.flows.warden import MEASURE, STATIC, Warden
from bot.serve.order import waiver
from bot.verdict import Outcome, Report, Verdict, outcome_of


@dataclass(frozen=True, slots=True)
class Way:
    """How the checks that load weights go on: "run", "wait" for leave, or "done".

    `why` is one line for people; `measured` is a kept measurement of the same commits; `suite` is
    the only one that there is leave for, "" for all.
    """

    step: str
    why: str = ""
    measured: Judged | None = None
    suite: str = ""


def static(warden: Warden, api: Api, target: Target, again: tuple[str, ...]) -> str:
    """Publish what needed no model, then decide how the rest goes on."""
    kept = warden.records.judged(target, STATIC)
    if kept is None:
        raise NotFound(f"no report of {target.head[:12]} is kept", "re-run the check")
    report = load(kept.report)
    settled = tuple(v for v in report.verdicts if v.outcome is not Outcome.PENDING)
    _runs(warden, api, target, report, settled)
    way = _way(warden, api, target, report, again)
    if way.step == "run":
        author = api.pull(target.number).author.id if target.number else 0
        warden.put(MEASURE, target, author=author, suite=way.suite)
        _comment(warden, api, target, report, leave.queue_line(warden, api, target))
        return "measuring"
    whole = (
        report
        if way.measured is None
        else joined(warden, target, report, load(way.measured.report))
    )
    _runs(warden, api, target, whole, _loading(warden, whole), way.why)
    finish(warden, api, target, whole, way.why)
    return whole.outcome


def measured(warden: Warden, api: Api, target: Target) -> str:
    """Publish the measurement together with what was judged before it."""
    kept, late = (warden.records.judged(target, part) for part in (STATIC, MEASURE))
    if kept is None or late is None:
        raise NotFound(f"no report of {target.head[:12]} is kept", "re-run the check")
    whole = joined(warden, target, load(kept.report), load(late.report))
    _runs(warden, api, target, whole, _loading(warden, whole))
    finish(warden, api, target, whole)
    return whole.outcome


def finish(warden: Warden, api: Api, target: Target, report: Report, note: str = "") -> None:
    """Conclude the summary, then show the comment if the target still is the pull request."""
    url = warden.link(target)
    body = checkruns.summarised(target, report, warden.rules, url, note)
    if body.conclusion is Conclusion.SUCCESS and (why := shared.worse(warden, api, target)):
        body = checkruns.broken(target, "", why, shared.REMEDY)
        note = f"The check run does not pass: {why}. What to do: {shared.REMEDY}."
    warden.publisher(api).conclude(target, {"": body})
    _comment(warden, api, target, report, note)
    warden.note(target, "modelwarden", f"verdict {report.outcome}", target.head[:12])


def failed(warden: Warden, api: Api, target: Target, reason: str, remedy: str) -> str:
    """Conclude every run of the target that is still open as "could not tell"."""
    publisher = warden.publisher(api)
    checks = publisher.open_checks(target)
    publisher.conclude(
        target, {check: checkruns.broken(target, check, reason, remedy) for check in checks}
    )
    warden.note(target, "modelwarden", "could not tell", reason)
    with suppress(Denied, NotFound):  # then there is nobody to tell
        if target.number and not warden.current(api, target):
            text = comment.broken(target, harmless(reason), harmless(remedy))
            publisher.sticky(target.number, text)
    return reason


def joined(warden: Warden, target: Target, report: Report, late: Report) -> Report:
    """Return the report with the verdicts of the measurement in it, today's waivers applied."""
    found = {v.check: _waived(warden, target, v) for v in late.verdicts}
    verdicts = tuple(
        found.get(v.check, v) if v.check in warden.loading else v for v in report.verdicts
    )
    return replace(report, verdicts=verdicts)


def _waived(warden: Warden, target: Target, verdict: Verdict) -> Verdict:
    """Apply the waivers made by comment since the measurement."""
    rows = warden.waived(target)
    if not rows or not verdict.findings or verdict.outcome not in (Outcome.FAIL, Outcome.ERROR):
        return verdict
    policy = replace(default(warden.checks), added=tuple(map(waiver, rows)))
    findings, _ = conduct.apply(policy, verdict.findings, warden.today)
    return replace(verdict, findings=findings, outcome=outcome_of(findings))


def _loading(warden: Warden, report: Report) -> tuple[Verdict, ...]:
    return tuple(v for v in report.verdicts if v.check in warden.loading)


def _runs(
    warden: Warden,
    api: Api,
    target: Target,
    report: Report,
    verdicts: tuple[Verdict, ...],
    note: str = "",
) -> None:
    """Conclude the runs of some checks; `note` says what one that waits is waiting for."""
    url = warden.link(target)
    bodies = {
        v.check: checkruns.concluded(target, v, report, warden.rules, url, note) for v in verdicts
    }
    warden.publisher(api).conclude(target, bodies)


def _comment(warden: Warden, api: Api, target: Target, report: Report, note: str) -> None:
    """Show the verdict in the one comment, unless the pull request has moved on."""
    if not target.number or warden.current(api, target):
        return
    body = comment.judged(report, warden.rules, note=note, url=warden.link(target))
    warden.publisher(api).sticky(target.number, body)


def _way(warden: Warden, api: Api, target: Target, report: Report, again: tuple[str, ...]) -> Way:
    """Decide how checks that load weights go on: leave and minutes come before any of them."""
    if not any(v.outcome is Outcome.PENDING for v in report.verdicts):
        return Way("done")
    kept = warden.measured(target)
    if kept is not None and not set(again) & {*warden.loading, ""}:
        return Way("done", measured=kept)
    if not target.number:  # somebody who may merge has put it into the queue
        return Way("run")
    pull = api.pull(target.number)
    if reason := leave.missing(warden, api, target, pull, report):
        return Way("wait", reason)
    if not leave.needed(pull) or leave.approval_of(warden, target, "") is not None:
        return Way("run")
    one = leave.approval_of(warden, target)
    return Way("run", suite=one.suite if one else "")


def under(kept: Judged, target: Target, now: float) -> Judged:
    """Return a kept report as one of another attempt at the same commits."""
    return replace(kept, target=target, at=now)
