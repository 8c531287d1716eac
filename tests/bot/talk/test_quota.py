"""Minutes and runs: what is left, what a run may take, who waits."""

from __future__ import annotations

import math

import pytest

from bot.serve.contract import Waiting
from bot.talk.quota import (
    DAY,
    Left,
    Limits,
    day_start,
    estimate,
    exceeded,
    left,
    queued,
)

NOW = 1_795_000_000.0
MIDNIGHT = 1_794_960_000.0


def test_a_day_is_one_of_utc() -> None:
    assert day_start(NOW) == MIDNIGHT
    assert day_start(MIDNIGHT) == MIDNIGHT
    assert day_start(MIDNIGHT + DAY - 1) == MIDNIGHT


@pytest.mark.parametrize(
    ("author", "repository", "rest"),
    [
        (0.0, 0.0, (60.0, 240.0)),
        (10.0, 30.0, (50.0, 210.0)),
        (60.0, 240.0, (0.0, 0.0)),
        (99.0, 999.0, (0.0, 0.0)),
        (math.nan, math.inf, (0.0, 0.0)),
        (-math.inf, 0.0, (0.0, 240.0)),
    ],
)
def test_left(author: float, repository: float, rest: tuple[float, float]) -> None:
    limits = Limits(60.0, 240.0)
    assert left(limits, author, repository, NOW) == Left(*rest, MIDNIGHT + DAY)


@pytest.mark.parametrize(
    ("past", "bound", "minutes"),
    [
        ((), 20.0, 20.0),
        ((3.2,), 20.0, 4.0),
        ((30.0,), 20.0, 20.0),
        ((1.0,) * 9 + (19.0,), 20.0, 1.0),  # one of ten may take longer
        ((1.0,) * 8 + (19.0, 19.0), 20.0, 19.0),
        ((19.0,) * 5 + (2.0,) * 20, 20.0, 2.0),  # only the last ones count
        ((math.nan, math.inf, -1.0, 0.0), 20.0, 20.0),
        ((0.01,), 20.0, 1.0),
        ((3.0,), 0.5, 0.5),
    ],
)
def test_estimate(past: tuple[float, ...], bound: float, minutes: float) -> None:
    assert estimate(past, bound) == minutes


@pytest.mark.parametrize(
    ("author", "repository", "needed", "words"),
    [
        (20.0, 20.0, 20.0, ""),
        (19.9, 20.0, 20.0, "only 19 minutes of its author left"),
        (20.0, 19.0, 20.0, "only 19 minutes of the repository left"),
        (1.0, 2.0, 20.0, "only 1 minute of its author and 2 minutes of the repository left"),
        (20.0, 20.0, math.nan, "an unknown number"),
    ],
)
def test_exceeded(author: float, repository: float, needed: float, words: str) -> None:
    said = exceeded(Left(author, repository, MIDNIGHT + DAY), needed)
    assert bool(said) == bool(words)
    assert words in said
    assert not words or "frees at 2026-11-19 00:00 UTC" in said


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (0, "running"),
        (1, "next in the queue"),
        (2, "number 2 in the queue, behind 1 job: about 20 minutes at one at a time"),
        (4, "number 4 in the queue, behind 3 jobs: about 60 minutes at one at a time"),
    ],
)
def test_queued(position: int, words: str) -> None:
    assert queued(Waiting("k", "measure", "gpu", position, NOW, "acme/tiny#7"), 20.0) == words
