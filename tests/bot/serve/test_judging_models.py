"""Models judged by the child: the verdict of the command itself, and scorers that end with it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")

from bot import sandbox
from bot.github.mirror import Mirrors
from bot.serve.order import dump
from bot.verdict import Outcome
from modelwarden import ROOT
from tests.bot.github.gitserver import GitServer
from tests.bot.github.test_mirror import until
from tests.bot.serve.test_judging import ALL, PARENT, Desk, by_hand, processes, reason, same, tried
from tests.gitrepo import Repo, environment
from tests.lab.models import TEXT, make_model

MODEL = "models/tiny"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with GitServer(tmp_path / "served") as server:
        yield Desk(server, Mirrors(tmp_path / "mirrors", 1 << 30))


def blurred(base: Path) -> bytes:
    """The weights with noise on them."""
    import numpy as np
    from safetensors.numpy import load_file, save

    chance = np.random.default_rng(1)
    weights = {
        name: (tensor + chance.normal(0, 0.5 * tensor.std(), tensor.shape)).astype(tensor.dtype)
        for name, tensor in sorted(load_file(base / "model.safetensors").items())
    }
    return save(weights, metadata={"format": "pt"})


def propose(repo: Repo, base: Path, items: int, **more: object) -> tuple[str, str]:
    """Commit a model, and a worse one as a change; return both commits."""
    words = " ".join(TEXT).split()
    texts = (" ".join(random.Random(n).sample(words, 10)) for n in range(items))
    rules = {"model": MODEL, "suite": [{"name": "held-out", "path": "held-out.jsonl"}],
             "require": list(sandbox.probe().holds), "slowdown": 0, "device": "cpu"}  # fmt: skip
    repo.write({f"{MODEL}/{path.name}": path.read_bytes() for path in base.iterdir()})
    before = repo.commit(
        {
            "held-out.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
            ".github/modelwarden.yml": json.dumps({"version": 1, "regression": rules | more}),
        }
    )
    return before, repo.commit({f"{MODEL}/model.safetensors": blurred(base)})


def test_a_worse_model_fails_as_by_hand(desk: Desk, repo: Repo, base: Path) -> None:
    before, after = propose(repo, base, 80)
    report = desk.judge(repo, before, after, checks=ALL, device="cpu", suites=("held-out",))
    (verdict,) = (v for v in report.verdicts if v.check == "regression")
    assert verdict.outcome is Outcome.FAIL
    assert [f.rule for f in verdict.findings] == ["regression/regressed"]
    assert any("scoring 2 models" in line for line in desk.said)
    same(report, by_hand(repo, before, after, ALL))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return str(folder).encode()


def test_cancelling_ends_the_scorer(desk: Desk, repo: Repo, base: Path, place: bytes) -> None:
    before, after = propose(repo, base, 3000, early=False, limit=3000)
    order = desk.order(repo, before, after, checks=("regression",))
    scoring = threading.Event()

    def cancelled() -> bool:
        if any(b"_score" in line for line in processes(place).values()):
            scoring.set()
        return scoring.is_set()

    report = tried(order, desk.objects, cancelled=cancelled)
    assert scoring.is_set() and reason(report).startswith("cancelled")
    until(lambda: not processes(place))


def programs(folder: Path, *names: str) -> str:
    """A search path that holds these programs alone."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or "/nowhere")
    return str(folder)


@pytest.mark.parametrize(
    ("wall", "stopped"), [("bwrap", False), ("bwrap", True), ("unshare", False), ("plain", False)]
)
def test_a_killed_parent_leaves_no_scorer(
    desk: Desk, repo: Repo, base: Path, tmp_path: Path, place: bytes, wall: str, stopped: bool
) -> None:
    before, after = propose(repo, base, 3000, early=False, limit=3000, require=["time"])
    order = desk.order(repo, before, after, checks=("regression",))
    for name in ("held-out.jsonl", f"{MODEL}/model.safetensors"):
        desk.objects((repo.git("rev-parse", f"{before}:{name}"),))
    written = tmp_path / "order"
    written.write_bytes(dump(order))
    code = PARENT.replace("sys.stdin.read()", "bring(ids)").replace("def objects", SERVE)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(written), str(desk.mirrors.folder), desk.server.url],
        cwd=ROOT, stdout=subprocess.DEVNULL,
        env=environment() | {
            "TMPDIR": place.decode(),
            "PATH": programs(tmp_path / "programs", "git", "setpriv", *({wall} - {"plain"})),
        },
    ) as parent:  # fmt: skip
        until(lambda: any(b"_score" in line for line in processes(place).values()), 60)
        if stopped:
            judge = min(n for n, line in processes(place).items() if b"_judge" in line)
            os.kill(judge, signal.SIGSTOP)
        parent.kill()
    until(lambda: not processes(place))
    shutil.rmtree(place.decode())


SERVE = """
def bring(ids):
    from bot.github.mirror import Mirrors
    from bot.github.values import Repo
    token = "ghs_first0000000000000000"
    mirrors = Mirrors(Path(sys.argv[2]), 1 << 30)
    mirrors.blobs(Repo(7, "acme/tiny", 1), sys.argv[3], lambda: token, ids)
def objects"""
