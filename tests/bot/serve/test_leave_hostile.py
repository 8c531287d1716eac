"""Leave to load weights, against people who want more of it than they were given."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")

from bot import sandbox
from bot.serve.contract import Approval
from bot.serve.flows import measure
from bot.serve.hearing import JudgeFailed
from bot.talk import quota
from tests.bot.serve.stack import Stack, running
from tests.githubfake import FakeGitHub
from tests.githubfake.pull import Pull
from tests.githubfake.repository import Repository
from tests.lab.models import TEXT, make_model

REGRESSION = "modelwarden / regression"
CHANGED = {"model/generation_config.json": b'{"do_sample": true}\n'}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = make_model(tmp_path_factory.mktemp("good"))
    return {f"model/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub, good: dict[str, bytes]) -> Repository:
    words = " ".join(TEXT).split()
    texts = [" ".join(random.Random(n).sample(words, 10)) for n in range(60)]
    suites = [{"name": "one", "path": "one.jsonl"}, {"name": "two", "path": "two.jsonl"}]
    policy = {
        "version": 1,
        "regression": {
            "model": "model",
            "suite": suites,
            "require": list(sandbox.probe().holds),
            "slowdown": 0,
            "minutes": 3,
        },
    }
    held = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    files: dict[str, bytes | str] = {
        "one.jsonl": held,
        "two.jsonl": held,
        ".github/modelwarden.yml": json.dumps(policy),
    }
    made = hub.repository("acme/tiny", {**good, **files})
    made.commit({"other.md": "# Other\n"}, "dev", parents=(made.head("main"),))
    made.grant("will", "write")
    made.grant("tess", "triage")
    return made


@pytest.fixture
def stack(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Stack]:
    with running(tmp_path, hub) as made:
        yield made


def _spent(stack: Stack, repo: Repository) -> int:
    return len(stack.parts.records.past_minutes(repo.id, 100))


def _line(pull: Pull, suite: str = "") -> str:
    return f"/warden measure --head {pull.head[:12]}" + (f" --suite {suite}" if suite else "")


def test_leave_for_one_suite_is_leave_for_no_other(stack: Stack, repo: Repository) -> None:
    """What one suite says lets nothing in, and its leave starts no run of the others."""
    pull = repo.pull(author="mallory", branch="x", files=CHANGED, fork=True)
    stack.settle()
    repo.comment(pull.number, "will", _line(pull, "one"))
    stack.settle()
    assert _spent(stack, repo) == 1
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    assert stack.runs(repo, pull.head)["modelwarden"] == "action_required"
    assert "only the suite one was measured" in stack.ours(repo, pull.number)[0]
    for asker in ("mallory", "tess"):  # who may not approve spends no more of it
        for line in ("/warden check regression", "/warden check"):
            repo.comment(pull.number, asker, line)
            stack.settle()
    assert _spent(stack, repo) == 1
    assert stack.runs(repo, pull.head)["modelwarden"] == "action_required"
    repo.comment(pull.number, "will", _line(pull))
    stack.settle()
    assert _spent(stack, repo) == 2
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"


def test_nobody_measures_again_for_free(stack: Stack, hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=CHANGED, fork=True)
    stack.settle()
    repo.comment(pull.number, "will", _line(pull))
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success" and _spent(stack, repo) == 1
    newest = max(r.id for r in repo.runs.values() if r.name == REGRESSION)
    hub.rerequest(newest, "mallory")
    stack.settle()
    hub.press(newest, "rerun", "mallory")
    stack.settle()
    assert _spent(stack, repo) == 1
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"


def test_a_strangers_fork_needs_leave_whoever_opens_it(stack: Stack, repo: Repository) -> None:
    """Somebody who may write opens it; the stranger goes on pushing to the fork."""
    pull = repo.pull(author="mallory", branch="x", files={"a.md": "# A\n"}, fork=True)
    pull.author = stack.hub.user("will")
    pull.push(CHANGED, author="mallory")
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    assert _spent(stack, repo) == 0


def test_another_base_and_back_ends_the_leave(
    stack: Stack, hub: FakeGitHub, repo: Repository
) -> None:
    pull = repo.pull(author="mallory", branch="x", files=CHANGED, fork=True)
    stack.settle()
    run = next(r for r in repo.runs.values() if r.name == REGRESSION)
    records, old, now = stack.parts.records, pull.head, time.time()
    target = next(j.target for j in records.latest(repo.id, 9, pull.number))
    records.approve(Approval(target, "regression", "", 1, "will", now, now + 3600))
    pull.retarget("dev")
    hub.flush()
    hub.press(run.id, "approve", "will")  # what it shows is the other base
    stack.settle()
    assert "**Not done:** the run is about other commits" in stack.ours(repo, pull.number)[-1]
    pull.retarget("main")
    stack.settle()
    assert pull.head == old and _spent(stack, repo) == 0
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"


def test_weights_that_end_the_run_have_used_it(
    stack: Stack, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object, **more: object) -> None:
        raise JudgeFailed("not judged within 3 minutes; stopped", "make the change smaller")

    pull = repo.pull(author="will", branch="x", files={"a.md": "# A\n"})
    stack.settle()
    monkeypatch.setattr(measure, "review", broken)
    pull.push(CHANGED)
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    assert _spent(stack, repo) == 1


def test_minutes_are_counted_when_a_run_begins(
    tmp_path: Path, hub: FakeGitHub, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many changes fits the day alone; together they do not."""
    monkeypatch.setattr(quota, "estimate", lambda past, bound: bound)
    with running(tmp_path, hub, gpu_minutes_author=3.0) as stack:
        pulls = [
            repo.pull(author="will", branch=f"b{n}", files=CHANGED | {f"{n}.md": "# N\n"})
            for n in range(2)
        ]
        stack.settle()
        ends = sorted(stack.runs(repo, pull.head)[REGRESSION] for pull in pulls)
        assert _spent(stack, repo) == 1
        assert ends in (["action_required", "success"], ["cancelled", "success"])
