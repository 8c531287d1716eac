"""What a step says of itself, and what people read of the queues."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import BotError, UsageError
from bot.github.errors import Denied, Limited, NotFound, Unavailable
from bot.serve import queueing, stepping
from bot.serve.contract import Plain, Waiting
from bot.serve.errors import StepFailed, StoreError


def attempt(error: Exception | None, pause: float | None = 5.0) -> dict[str, Any]:
    def act() -> Plain:
        if error:
            raise error
        return [1]

    said = stepping.attempt("s", act, pause)
    assert isinstance(said, dict)
    return said


def test_a_value() -> None:
    assert attempt(None) == {"value": [1]}


@pytest.mark.parametrize(("until", "wait"), [(60, 60), (-9, 1), (1e9, stepping.LONGEST)])
def test_a_rate_limit_says_when_within_what_we_believe(until: float, wait: float) -> None:
    now = time.time()
    said = attempt(Limited("slow", "wait", now + until))
    assert said.keys() == {"until"} and wait - 1 <= said["until"] - now <= wait + 60


@pytest.mark.parametrize("error", [Unavailable("502", "later"), StoreError("full", "free")])
def test_what_is_away_is_asked_again_until_patience_ends(error: BotError) -> None:
    assert attempt(error).keys() == {"until"}
    assert attempt(error, None) == {"error": stepping.packed(error)}


def test_patience_is_bounded_and_grows() -> None:
    pauses = list(stepping.pauses())
    assert pauses[:3] == [5, 10, 20] and max(pauses) == stepping.SLOWEST
    assert pauses == sorted(pauses)
    assert stepping.PATIENCE <= sum(pauses) <= stepping.PATIENCE + stepping.SLOWEST


@pytest.mark.parametrize(
    "error", [NotFound("no pull", "look"), Denied("no", "grant"), UsageError("x", "y")]
)
def test_errors_are_of_their_own_class_again(error: BotError) -> None:
    again = stepping.unpacked(attempt(error)["error"])
    assert type(again) is type(error)
    assert (str(again), again.message, again.hint) == (str(error), error.message, error.hint)


def test_an_error_that_asks_for_more_is_built_again() -> None:
    again = stepping.unpacked(stepping.packed(Limited("slow", "wait", 5.0)))
    assert type(again) is Limited and again.message == "slow"


def test_a_class_that_is_gone() -> None:
    again = stepping.unpacked(["bot.old.Gone", "message", "hint"])
    assert type(again) is StepFailed and (again.message, again.hint) == ("message", "hint")


def test_what_nobody_foresaw_is_not_told_with_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        said = attempt(ValueError("token ghs_secret"))
    again = stepping.unpacked(said["error"])
    assert type(again) is StepFailed and "ValueError" in again.message and again.hint
    assert "ghs_secret" not in f"{said}{again}{caplog.text}"
    assert "test_stepping.py" in caplog.text  # where it was


def row(id: str, status: str, at: int, worker: str = "w1") -> Any:
    about = {"about": "acme/tiny#7"}
    return SimpleNamespace(
        workflow_id=id, status=status, created_at=at, executor_id=worker, attributes=about
    )


def test_the_queue_as_people_read_it() -> None:
    rows = [
        row("judge:b", "ENQUEUED", 3000),
        row("measure:m1", "PENDING", 1000, "w1"),  # it has its author's place
        row("+measure:m1", "PENDING", 5000, "w2"),  # and the GPU
        row("measure:m2", "PENDING", 2000),
        row("+measure:m2", "ENQUEUED", 6000),
        row("measure:m3", "ENQUEUED", 4000),
        row("judge:a:b", "PENDING", 2000),
        row("judge:c", "ENQUEUED", 1000),
    ]
    about = "acme/tiny#7"
    assert queueing.listed(rows) == (
        Waiting("m1", "measure", "gpu", 0, 1.0, about, "w2"),
        Waiting("a:b", "judge", "web", 0, 2.0, about, "w1"),
        Waiting("c", "judge", "web", 1, 1.0, about),
        Waiting("m2", "measure", "gpu", 1, 2.0, about),
        Waiting("b", "judge", "web", 2, 3.0, about),
        Waiting("m3", "measure", "gpu", 2, 4.0, about),
    )
