"""Leave to load a stranger's weights: asked for, bound to the commits, and given up by a push."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")

from bot import sandbox
from tests.bot.serve.stack import Stack, running
from tests.githubfake import FakeGitHub
from tests.githubfake.pull import Pull
from tests.githubfake.repository import Repository
from tests.lab.models import TEXT, make_model

REGRESSION = "modelwarden / regression"


def _files(folder: Path) -> dict[str, bytes]:
    return {f"model/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return _files(make_model(tmp_path_factory.mktemp("good")))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    files = _files(make_model(tmp_path_factory.mktemp("bad"), seed=7, initializer_range=0.8))
    return files | {"model/modeling_tiny.py": b"raise SystemExit('imported')\n"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub, good: dict[str, bytes]) -> Repository:
    words = " ".join(TEXT).split()
    texts = (" ".join(random.Random(n).sample(words, 10)) for n in range(60))
    policy = {
        "version": 1,
        "regression": {
            "model": "model",
            "suite": [{"name": "held-out", "path": "held-out.jsonl"}],
            "require": list(sandbox.probe().holds),
            "slowdown": 0,  # a busy machine has its own findings on time
            "minutes": 3,
        },
    }
    made = hub.repository(
        "acme/tiny",
        good
        | {
            "held-out.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
            ".github/modelwarden.yml": json.dumps(policy),
        },
    )
    made.grant("will", "write")
    made.grant("rita", "read")
    return made


@pytest.fixture
def stack(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Stack]:
    with running(tmp_path, hub) as made:
        yield made


def _asked(stack: Stack, repo: Repository, bad: dict[str, bytes]) -> Pull:
    pull = repo.pull(author="mallory", branch="x", files=bad, fork=True)
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    assert stack.runs(repo, pull.head)["modelwarden"] in ("failure", "action_required")
    return pull


def test_a_fork_is_measured_after_leave_for_exactly_its_head(
    stack: Stack, repo: Repository, bad: dict[str, bytes]
) -> None:
    pull = _asked(stack, repo, bad)
    (sticky,) = stack.ours(repo, pull.number)
    assert "model/modeling&#95;tiny.py" in sticky and "model/config.json" in sticky
    assert "3 minutes" in sticky
    (line,) = re.findall(r"^/warden measure .*$", sticky, re.MULTILINE)
    assert line == f"/warden measure --head {pull.head[:12]}"

    repo.comment(pull.number, "rita", line)  # may not
    repo.comment(pull.number, "will", f"/warden measure --head {'0' * 12}")
    repo.comment(pull.number, "will", f"/warden measure --head {pull.head[:8]}")
    stack.settle()
    refusals = stack.ours(repo, pull.number)[1:]
    assert len(refusals) == 3 and all("**Not done:**" in text for text in refusals)
    assert all(line in text for text in refusals[1:])
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"

    repo.comment(pull.number, "will", line)
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "failure"
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    sticky = stack.ours(repo, pull.number)[0]
    assert "regression/regressed" in sticky and "/warden measure" not in sticky, sticky
    assert len(stack.ours(repo, pull.number)) == 5


def test_a_push_ends_the_leave(stack: Stack, repo: Repository, bad: dict[str, bytes]) -> None:
    pull = _asked(stack, repo, bad)
    old = pull.head
    repo.comment(pull.number, "will", f"/warden measure --head {old[:12]}")
    pull.push({"model/extra.py": "print()\n"})
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    pull.push(parents=(repo.head("main"),), files=bad)  # and back to bytes that had leave
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    assert "in_progress" not in stack.runs(repo, old).values()


def test_the_button_is_the_command(
    stack: Stack, hub: FakeGitHub, repo: Repository, bad: dict[str, bytes]
) -> None:
    pull = _asked(stack, repo, bad)
    run = next(r for r in repo.runs.values() if r.name == REGRESSION)
    hub.press(run.id, "approve", "rita")
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
    hub.press(run.id, "approve", "will")
    stack.settle()
    assert stack.runs(repo, pull.head)[REGRESSION] == "failure"


def test_who_may_write_needs_no_leave(
    stack: Stack, repo: Repository, good: dict[str, bytes]
) -> None:
    changed = good | {"model/generation_config.json": b'{"do_sample": true}\n'}
    pull = repo.pull(author="will", branch="x", files=changed)
    stack.settle()
    runs = stack.runs(repo, pull.head)
    assert runs[REGRESSION] == "success", stack.ours(repo, pull.number)[0]
    assert len(stack.ours(repo, pull.number)) == 1


def test_minutes_that_are_spent_have_to_come_back(
    tmp_path: Path, hub: FakeGitHub, repo: Repository, bad: dict[str, bytes]
) -> None:
    with running(tmp_path, hub, gpu_minutes_author=1.0) as stack:
        pull = repo.pull(author="will", branch="x", files=bad)
        stack.settle()
        assert stack.runs(repo, pull.head)[REGRESSION] == "action_required"
        assert "budget" in stack.ours(repo, pull.number)[0]


def test_without_a_suite_nothing_is_loaded_and_no_leave_is_asked_for(
    stack: Stack, hub: FakeGitHub, bad: dict[str, bytes], good: dict[str, bytes]
) -> None:
    other = hub.repository("acme/other", good)
    pull = other.pull(author="mallory", branch="x", files=bad, fork=True)
    stack.settle()
    assert stack.runs(other, pull.head)[REGRESSION] != "action_required"
    assert "/warden measure" not in stack.ours(other, pull.number)[0]
