"""Leave to load the weights of a change: who needs it, what is missing, what is left to spend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.github.values import Api, Pull, Role, Target
from bot.people import Account
from bot.serve.contract import Approval, Plain
from bot.serve.flows import reading
from bot.serve.flows.warden import MEASURE, Warden
from bot.talk import quota, reply
from bot.talk.executables import executables
from bot.talk.quota import Left
from bot.talk.shown import minutes as spoken
from bot.verdict import Report


def needed(pull: Pull) -> bool:
    """Whether somebody has to approve: the head is a fork's.

    Who opened it does not matter: somebody who may write here may open one from a stranger's
    fork, and the stranger pushes to it afterwards.
    """
    return pull.fork


def approval_of(warden: Warden, target: Target, suite: str | None = None) -> Approval | None:
    """Return the newest approval that holds now for exactly these commits.

    With a `suite` ("": all of them), one that covers it.
    """
    if not warden.loading:
        return None
    return warden.records.approval(target, warden.loading[0], warden.clock(), suite)


def again(api: Api, who: Account, checks: Sequence[str]) -> list[Plain]:
    """Return which checks are done anew although they were: only who may approve a run asks for it.

    Others, the author of the change among them, would spend minutes that nobody allowed twice.
    """
    return list(checks) if api.role(who.login) >= Role.WRITE else []


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


def settings_of(warden: Warden, api: Api, target: Target) -> Any:
    """Return the settings at the target's base of the check that loads weights."""
    return reading.policy_of(warden, api, target).section(warden.loading[0])


def spent(warden: Warden, api: Api, target: Target, pull: Pull) -> str:
    """Return why a run is too long for what is left of today's minutes, "" where it is not."""
    settings = settings_of(warden, api, target)
    return quota.exceeded(minutes_left(warden, pull), estimate(warden, target, settings.minutes))


def missing(warden: Warden, api: Api, target: Target, pull: Pull, report: Report) -> str:
    """Return "" if the weights may be loaded, else what people see instead, as markdown."""
    settings = settings_of(warden, api, target)
    if not settings.suite:  # nothing would be loaded: the check says so by itself
        return ""
    left, minutes = minutes_left(warden, pull), estimate(warden, target, settings.minutes)
    if over := quota.exceeded(left, minutes):
        return f"The model is not measured yet: {over}. Re-run the check then."
    if not needed(pull) or approval_of(warden, target) is not None:
        return ""
    return reply.approval_request(
        pull,
        files=executables(report.change, settings.folder),
        suites=tuple(suite.name for suite in settings.suite),
        estimate=minutes,
        left=left,
        expires_at=warden.clock() + warden.approval_seconds,
    )


def queue_line(warden: Warden, api: Api, target: Target) -> str:
    """Say where the measurement of a target stands, and how long one takes."""
    settings = settings_of(warden, api, target)
    minutes = estimate(warden, target, settings.minutes)
    mine = (w for w in warden.jobs.waiting() if (w.kind, w.key) == (MEASURE, target.key))
    place = next((quota.queued(waiting, minutes) for waiting in mine), "about to start")
    return f"The model is measured next: {place}. One takes about {spoken(minutes)}."
