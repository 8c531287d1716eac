"""A release killed at every step and inside of them: nothing lost, nothing doubled, nothing left."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.bot.releasing.clones import git, refs
from tests.bot.releasing.killing import at_change, at_event, ended, killed, start
from tests.bot.releasing.project import A, Project, copied, make
from tests.bot.releasing.running import Warden

STEPS = (
    "fetch", "intake", "manifest", "evidence", "documents", "gate", "claim", "sign", "seal",
    "verify", "upload", "record", "announce",
)  # fmt: skip
WHOLE = ["claim", "release", "promote"]


def whole(at: Project, version: str = "1.0.0") -> None:
    """It is out once: each entry, tag and file; nothing lies where it was made."""
    assert at.actions() == WHOLE
    assert at.log()[2]["details"]["version"] == version
    there = at.refs()
    tags = sorted(name for name in there if name.startswith("refs/tags/"))
    assert tags == ["refs/tags/acme-tiny#challenger#1", f"refs/tags/v{version}"]
    assert refs(at.path)["refs/heads/modelwarden-releases"] == (
        there["refs/heads/modelwarden-releases"]
    )
    held = git(at.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases").splitlines()
    base = f"releases/{A}/{version}"
    assert sorted(held) == sorted([
        f"deploy/{A}/challenger.json", "log.jsonl",
        f"{base}.card.md", f"{base}.intoto.jsonl", f"{base}.json", f"{base}.sig",
    ])  # fmt: skip
    clean(at)
    stored = {p.relative_to(at.store).as_posix() for p in at.store.rglob("*") if p.is_file()}
    lock = next(p for p in at.cache.rglob("*.dir"))
    named = {one["md5"] for one in json.loads(lock.read_bytes())}
    assert stored == {f"{m[:2]}/{m[2:]}" for m in named} | {lock.relative_to(at.cache).as_posix()}


def clean(at: Project) -> None:
    """Nothing that a release was made in is left."""
    assert not list(at.staging.glob("*")) if at.staging.exists() else True
    left = [p for p in at.place.rglob("*.part*") if "/.git/objects/" not in str(p)]
    assert not left


def free(at: Project, version: str) -> None:
    """Nobody has the number: no claim, no tag, nothing that waits."""
    last: dict[str, str] = {}
    for line in at.log():
        if line["details"].get("version") == version:
            last[line["action"]] = line["details"]["holder"]
    assert "release" not in last
    assert at.actions().count("claim") == at.actions().count("abandon")
    assert not [name for name in at.refs() if name.startswith("refs/tags/")]
    if at.log():
        held = git(at.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases")
        assert held.splitlines() == ["log.jsonl"]
    clean(at)


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
    numbers = sorted(chance.sample(range(1, count), 12))
    for number in numbers:
        # What was done is not done again: the same number comes later in the release.
        if killed(at, at_change(number)) == 0:
            break
    done = warden.release(at)
    assert done.code in (0, 3), done.err
    if done.code:
        assert "is released already, from this commit" in done.error
    whole(at)


@pytest.mark.parametrize("share", [0.55, 0.62, 0.7, 0.78, 0.86, 0.93, 0.98])
def test_killed_in_the_steps_that_others_see(
    share: float, alice: Project, warden: Warden
) -> None:
    other = copied(alice.place, alice.place.with_name("count"))
    assert ended(start(other, at_change(0), "release", "run", "--key", other.key())) == 0
    count = int((other.place / "changes").read_text())
    assert killed(alice, at_change(int(count * share))) == -9
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)


@pytest.mark.parametrize("step", STEPS[:-1])
def test_what_was_killed_is_taken_back(step: str, alice: Project, warden: Warden) -> None:
    assert killed(alice, at_event("done", step, torn=True)) == -9
    out = step == "record"
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    if out:
        assert (done.code, "acme/tiny 1.0.0 is out" in done.error) == (3, True)
        assert warden.release(alice).code == 0
        whole(alice)
        return
    assert done.code == 0, done.err
    free(alice, "1.0.0")
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    assert (done.code, "no release 1.0.0 of acme/tiny was begun" in done.error) == (2, True)
