"""How many GPU minutes an author and a repository have. A day is one of UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.serve.contract import Waiting
from bot.talk.shown import minutes, moment
from bot.wording import plural

DAY = 86_400
RECENT = 20  # past runs that an estimate is made of
NEARLY_ALL = 0.9  # share of past runs that an estimate covers


@dataclass(frozen=True, slots=True)
class Limits:
    """What one author and one repository may use: minutes a day."""

    author_minutes: float = 240.0
    repository_minutes: float = 960.0


@dataclass(frozen=True, slots=True)
class Left:
    """Minutes left today, never below zero, and when the day ends (seconds since the epoch)."""

    author: float
    repository: float
    frees_at: float


def day_start(now: float) -> float:
    """Return when the day of UTC began: what was spent since then counts."""
    return now - now % DAY


def left(limits: Limits, author_spent: float, repository_spent: float, now: float) -> Left:
    """Return what is left today. A number that is none counts as everything spent."""
    return Left(
        _rest(limits.author_minutes, author_spent),
        _rest(limits.repository_minutes, repository_spent),
        day_start(now) + DAY,
    )


def _rest(limit: float, spent: float) -> float:
    rest = limit - spent
    return max(0.0, rest) if math.isfinite(rest) else 0.0


def estimate(past: tuple[float, ...], bound: float) -> float:
    """Return whole minutes that nine of ten of the last runs stayed within, at most `bound`.

    `past` is oldest first. With no past it is the bound: the longest a run may take.
    """
    known = sorted(p for p in past[-RECENT:] if math.isfinite(p) and p > 0)
    if not known:
        return bound
    at = math.ceil(NEARLY_ALL * len(known)) - 1
    return min(bound, float(math.ceil(known[at])))


def exceeded(left: Left, needed: float) -> str:
    """Return why a run of so many minutes may not be approved now, "" where it may."""
    short = [
        f"{minutes(math.floor(rest))} of {whose}"
        for rest, whose in ((left.author, "its author"), (left.repository, "the repository"))
        if not rest >= needed
    ]
    if not short:
        return ""
    return (
        f"the run is estimated at {minutes(needed)}, and today's budget has only "
        f"{' and '.join(short)} left; it frees at {moment(left.frees_at)}"
    )


def queued(waiting: Waiting, each: float) -> str:
    """Say where a job stands; `each` is the estimate of a run, in minutes."""
    if waiting.position <= 0:
        return "running"
    before = waiting.position - 1
    if not before:
        return "next in the queue"
    jobs = plural(before, "job")
    wait = minutes(before * each)
    return f"number {waiting.position:,} in the queue, behind {jobs}: about {wait} at one at a time"
