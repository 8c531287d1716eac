"""A release killed at every step and inside of them: nothing lost, doubled or left."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bot.releasing.killing import at_change, at_event, ended, killed, start
from tests.bot.releasing.project import Project, copied
from tests.bot.releasing.running import Warden
from tests.bot.releasing.states import free, whole

STEPS = (
    "fetch", "intake", "manifest", "evidence", "documents", "gate", "claim", "sign", "seal",
    "verify", "upload", "record", "announce",
)  # fmt: skip


def test_killed_at_every_event_one_after_another(alice: Project, warden: Warden) -> None:
    for step in STEPS:
        assert killed(alice, at_event("begin", step)) == -9
        assert killed(alice, at_event("done", step, torn=True)) == -9
        if step not in ("record", "announce"):
            assert killed(alice, at_event("done", step)) == -9
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)


def test_killed_between_any_two_changes(seed: Path, tmp_path: Path, warden: Warden) -> None:
    whole_run = copied(seed, tmp_path / "all")
    assert ended(start(whole_run, at_change(0), "release", "run", "--key", whole_run.key())) == 0
    count = int((whole_run.place / "changes").read_text())
    chance = random.Random(11)
    at = copied(seed, tmp_path / "place")
    numbers = sorted(chance.sample(range(1, count), 8))
    for number in numbers:
        # What was done is not done again: the same number comes later in the release.
        if killed(at, at_change(number)) == 0:
            break
    done = warden.release(at)
    assert done.code in (0, 1), done.err
    if done.code:
        assert "is released already, from this commit" in done.error
    whole(at)


@pytest.mark.parametrize("share", [0.55, 0.7, 0.82, 0.92])
def test_killed_in_the_steps_that_others_see(share: float, alice: Project, warden: Warden) -> None:
    other = copied(alice.place, alice.place.with_name("count"))
    assert ended(start(other, at_change(0), "release", "run", "--key", other.key())) == 0
    count = int((other.place / "changes").read_text())
    assert killed(alice, at_change(int(count * share))) == -9
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)


@pytest.mark.parametrize("step", ["manifest", "documents", "claim", "sign", "upload", "record"])
def test_what_was_killed_is_taken_back(step: str, alice: Project, warden: Warden) -> None:
    assert killed(alice, at_event("done", step, torn=True)) == -9
    out = step == "record"
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    if out:
        assert (done.code, "acme/tiny 1.0.0 is out" in done.error) == (1, True)
        assert warden.release(alice).code == 0
        whole(alice)
        return
    assert done.code == 0, done.err
    free(alice, "1.0.0")
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    assert (done.code, "no release 1.0.0 of acme/tiny was begun" in done.error) == (2, True)


def test_killed_while_it_tidied_up(alice: Project, warden: Warden) -> None:
    assert killed(alice, at_event("done", "announce")) == -9
    (story,) = alice.staging.rglob("journal.jsonl")
    story.unlink()
    (story.parent / "placed.json").unlink()
    assert warden.release(alice).code == 0  # what is out is finished, not made anew
    whole(alice)
