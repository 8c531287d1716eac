"""Load and score the weights of one change, with leave where it is needed, and publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.errors import BotError
from bot.github.errors import NotFound
from bot.github.values import Api, Role, Target
from bot.serve.contract import Plain, Steps
from bot.serve.flows import conclude, leave
from bot.serve.flows.judge import keep, review
from bot.serve.flows.payload import unpack
from bot.serve.flows.warden import MEASURE, STATIC, Warden
from bot.serve.hearing import JudgeFailed
from bot.verdict import Outcome, Report

_GOOD = (Outcome.PASS, Outcome.SKIP)


def flow(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Measure one target. `source` is the attempt whose other verdicts are shown beside it."""
    target = unpack(Target, payload["target"])
    suite, source = str(payload.get("suite") or ""), payload.get("source")
    api = warden.hub.at(target.repo)
    try:
        if source is not None:
            steps.run("adopt", lambda: _adopt(warden, api, target, unpack(Target, source)))
        reason = steps.run("verify", lambda: _startable(warden, api, target, suite))
        if reason:
            return steps.run("stop", lambda: _stop(warden, api, target, reason))
        steps.run("review", lambda: _review(warden, api, target, suite))
        reason = steps.run("verify again", lambda: _verified(warden, api, target, suite))
        if reason:
            return steps.run("stop", lambda: _stop(warden, api, target, reason))
        return steps.run("publish", lambda: conclude.measured(warden, api, target))
    except BotError as error:
        message, hint = error.message, error.hint
        steps.run("give up", lambda: conclude.failed(warden, api, target, message, hint))
        return message


def _adopt(warden: Warden, api: Api, target: Target, source: Target) -> str:
    """Start runs of a new attempt; what needed no model is as it was."""
    kept = warden.records.judged(source, STATIC)
    if kept is None:
        raise NotFound(f"no report of {source.head[:12]} is kept", "re-run the check")
    warden.records.keep(conclude.under(kept, target, warden.clock()))
    warden.publisher(api).open(
        target, warden.loading, warden.link(target), lambda: warden.jobs.alive(MEASURE, target.key)
    )
    return ""


def _startable(warden: Warden, api: Api, target: Target, suite: str) -> str:
    """Return "" if the run may begin now: minutes may have been spent since it was put."""
    if (reason := _verified(warden, api, target, suite)) or not target.number:
        return reason
    return leave.spent(warden, api, target, api.pull(target.number))


def _verified(warden: Warden, api: Api, target: Target, suite: str) -> str:
    """Return "" if the weights may be loaded and shown at this moment, else why not."""
    try:
        reason = warden.current(api, target)
    except NotFound:
        return "the pull request is gone"
    if reason or not target.number:
        return reason
    pull = api.pull(target.number)
    settings = leave.settings_of(warden, api, target)
    if not leave.needed(pull) or not settings.suite:  # without a suite nothing is loaded
        return ""
    approval = leave.approval_of(warden, target, suite)
    if approval is None:
        return "no approval of exactly these commits is valid any more"
    if api.role(approval.login) < Role.WRITE:
        return "whoever approved the run may no longer write to this repository"
    return ""


def _stop(warden: Warden, api: Api, target: Target, reason: str) -> str:
    warden.publisher(api).stop((target,), reason)
    warden.note(target, "modelwarden", "measurement stopped", reason)
    return reason


def _review(warden: Warden, api: Api, target: Target, suite: str) -> str:
    start = warden.clock()
    settings = leave.settings_of(warden, api, target)
    author = api.pull(target.number).author.id if target.number else 0

    def spend() -> None:
        warden.records.spend(target, author, (warden.clock() - start) / 60, warden.clock())

    try:
        report = review(
            warden, api, target, part=MEASURE, suite=suite, minutes=settings.minutes + 5
        )
    except JudgeFailed:  # weights that take the machine down have used it all the same
        spend()
        raise
    spend()
    report = partial(report, suite, tuple(one.name for one in settings.suite))
    keep(warden, target, MEASURE, report)
    return report.outcome


def partial(report: Report, suite: str, suites: tuple[str, ...]) -> Report:
    """Return the report of a run of one suite; while the policy has others, it passes nothing."""
    others = [name for name in suites if name != suite]
    if not suite or not others:
        return report
    reason = f"only the suite {suite} was measured, not {', '.join(others)}"
    verdicts = tuple(
        replace(v, outcome=Outcome.PENDING, reason=reason) if v.outcome in _GOOD else v
        for v in report.verdicts
    )
    return replace(report, verdicts=verdicts)
