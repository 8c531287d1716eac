"""Leave to load the weights of a change: who needs it, what is missing, what is left to spend."""

from __future__ import annotations

from bot.github.values import Api, Pull, Role, Target
from bot.serve.contract import Approval
from bot.serve.flows import reading
from bot.serve.flows.warden import MEASURE, Warden
from bot.talk import quota, reply
from bot.talk.executables import executables
from bot.talk.quota import Left
from bot.verdict import Report


def needed(api: Api, pull: Pull) -> bool:
    """Whether somebody has to approve: the head is a fork's, and its author may not write here."""
    return pull.fork and api.role(pull.author.login) < Role.WRITE


def approval_of(warden: Warden, target: Target) -> Approval | None:
    """Return the approval that holds now for exactly these commits."""
    if not warden.loading:
        return None
    return warden.records.approval(target, warden.loading[0], warden.clock())


def minutes_left(warden: Warden, pull: Pull) -> Left:
    """Return what the author and the repository may still spend today."""
    now, records = warden.clock(), warden.records
    since = quota.day_start(now)
    return quota.left(
        warden.limits,
        records.spent(author=pull.author.id, since=since),
        records.spent(repo=pull.repo.id, since=since),
        now,
    )


def estimate(warden: Warden, target: Target, bound: float) -> float:
    """Return how many minutes a measurement here will take, from those that were made."""
    return quota.estimate(warden.records.past_minutes(target.repo.id, quota.RECENT), bound)


def missing(warden: Warden, api: Api, target: Target, pull: Pull, report: Report) -> str:
    """Return "" if the weights may be loaded, else what people see instead, as markdown."""
    settings = reading.policy_of(warden, api, target).section(warden.loading[0])
    left, minutes = minutes_left(warden, pull), estimate(warden, target, settings.minutes)
    if over := quota.exceeded(left, minutes):
        return f"The model is not measured yet: {over}. Re-run the check then."
    if not needed(api, pull) or approval_of(warden, target) is not None:
        return ""
    return reply.approval_request(
        pull,
        files=executables(report.change, settings.folder),
        suites=tuple(suite.name for suite in settings.suite),
        estimate=minutes,
        left=left,
        expires_at=warden.clock() + warden.approval_seconds,
    )


def queue_line(warden: Warden, target: Target, minutes: float) -> str:
    """Say where the measurement of a target stands in its queue, "" where it is in none."""
    for waiting in warden.jobs.waiting():
        if (waiting.kind, waiting.key) == (MEASURE, target.key):
            return quota.queued(waiting, minutes)
    return ""
