"""Kill -9 of a server while it measures a model: at each step of the measurement."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")

from bot import sandbox
from tests.bot.serve.crashing import Nest, Server, serving
from tests.bot.serve.exact import exact, ours, runs
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.lab.models import TEXT, make_model

REGRESSION = "modelwarden / regression"


def _files(folder: Path) -> dict[str, bytes]:
    return {f"model/{path.name}": path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made


def _measuring(server: Server) -> bool:
    """Whether more works for the server than the child that judges and its guard."""
    return len(server.left()) > 2


def test_a_measurement(nest: Nest, tmp_path: Path, hub: FakeGitHub) -> None:
    """Killed as it asks for leave, as it runs the model, and as it shows what came of it."""
    words = " ".join(TEXT).split()
    texts = (" ".join(random.Random(n).sample(words, 10)) for n in range(60))
    policy = {
        "version": 1,
        "regression": {
            "model": "model", "suite": [{"name": "held-out", "path": "held-out.jsonl"}],
            "require": list(sandbox.probe().holds), "slowdown": 0, "minutes": 3,
        },
    }  # fmt: skip
    good = _files(make_model(tmp_path / "good"))
    held = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    repo = hub.repository(
        "acme/tiny",
        good | {"held-out.jsonl": held, ".github/modelwarden.yml": json.dumps(policy)},
    )
    repo.grant("will", "write")
    with serving(nest, hub, tmp_path) as server:
        changed = {"model/generation_config.json": b'{"do_sample": true}\n'}
        pull = repo.pull(author="mallory", branch="x", files=changed, fork=True)
        server.settle()
        assert runs(repo, pull.head)[REGRESSION] == "action_required"
        faults = [
            hub.fault("POST", "/check-runs$", "call-after", then=server.kill),
            hub.fault("GET", "/permission$", "call-before", skip=2, then=server.kill),
            hub.fault("PATCH", "/check-runs/", "call-after", then=server.kill),
            hub.fault("PATCH", "/issues/comments/", "call-soon", then=server.kill),
        ]
        repo.comment(pull.number, "will", f"/warden measure --head {pull.head[:12]}")
        server.settle(120)
        assert [fault.hits for fault in faults] == [1, 1, 1, 1], faults
        assert runs(repo, pull.head)[REGRESSION] == "success", ours(hub, repo, pull.number)[0]
        assert len(ours(hub, repo, pull.number)) == 2
        exact(server, hub, repo)

        pull.push({"model/generation_config.json": b'{"do_sample": false}\n'})
        server.settle()
        repo.comment(pull.number, "will", f"/warden measure --head {pull.head[:12]}")
        wait_for(lambda: _measuring(server), "the model to run")
        server.kill()
        wait_for(lambda: not server.left(), "its children to end with it", 10)
        server.settle(120)
        assert runs(repo, pull.head)[REGRESSION] == "success", ours(hub, repo, pull.number)[0]
        assert len(ours(hub, repo, pull.number)) == 3
        exact(server, hub, repo)
