"""Models of a DVC project, judged by the command itself: exit codes and one clear line each."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")
pytest.importorskip("dvc", reason="needs the dvc extra")

from bot import sandbox
from modelwarden import ROOT
from tests.gitrepo import Repo
from tests.lab.models import TEXT, make_model

MODEL = Path("models/tiny")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def blurred(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with noise on its weights."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    folder = tmp_path_factory.mktemp("blurred") / "tiny"
    shutil.copytree(base, folder)
    chance = np.random.default_rng(1)
    weights = {
        name: (tensor + chance.normal(0, 0.5 * tensor.std(), tensor.shape)).astype(tensor.dtype)
        for name, tensor in sorted(load_file(base / "model.safetensors").items())
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def project(repo: Repo) -> Repo:
    words = " ".join(TEXT).split()
    texts = (" ".join(random.Random(n).sample(words, 10)) for n in range(80))
    policy = {
        "version": 1,
        "regression": {
            "model": str(MODEL),
            "suite": [{"name": "held-out", "path": "held-out.jsonl"}],
            "require": list(sandbox.probe().holds),
            "slowdown": 0,  # a busy machine has its own findings on time
        },
    }
    repo.commit(
        {
            "held-out.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
            ".github/modelwarden.yml": json.dumps(policy),
        }
    )
    dvc(repo, "init", "--quiet")
    dvc(repo, "remote", "add", "--default", "store", str(repo.path.parent / "remote"))
    return repo


def dvc(repo: Repo, *words: str) -> None:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *words]
    subprocess.run(command, cwd=repo.path, env=environment, check=True, capture_output=True)


def track(repo: Repo, model: Path) -> str:
    """Commit the model as a DVC output, pushed to the remote."""
    shutil.rmtree(repo.path / MODEL, ignore_errors=True)
    shutil.copytree(model, repo.path / MODEL)
    dvc(repo, "add", "--quiet", str(MODEL))
    dvc(repo, "push", "--quiet")
    return repo.commit({})


def check(repo: Repo, before: str, after: str) -> tuple[int, str, str]:
    """Return exit code, rule and message of the one finding."""
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "modelwarden.py", "check", "--repo", repo.path, "--base",
         before, "--head", after, "--only", "regression", "--format", "json", "--no-cache"],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    assert done.stderr == ""
    (verdict,) = (v for v in json.loads(done.stdout)["verdicts"] if v["check"] == "regression")
    (finding,) = verdict["findings"]
    return done.returncode, finding["rule"].partition("/")[2], finding["message"]


def test_a_worse_model_in_the_remote_of_the_base(project: Repo, base: Path, blurred: Path) -> None:
    before, after = track(project, base), track(project, blurred)
    shutil.rmtree(project.path / ".dvc" / "cache")
    code, rule, message = check(project, before, after)
    assert (code, rule) == (1, "regressed"), message
    assert "held-out: " in message
    assert not (project.path / ".dvc" / "cache").exists()


def test_the_same_model_in_another_store(project: Repo, base: Path) -> None:
    before = track(project, base)
    (project.path / f"{MODEL}.dvc").unlink()
    (project.path / MODEL.parent / ".gitignore").unlink()
    after = project.commit({})
    assert (project.path / MODEL / "config.json").exists()
    assert check(project, before, after)[:2] == (0, "identical")


def test_weights_that_nobody_pushed(project: Repo, base: Path, blurred: Path) -> None:
    before, after = track(project, base), track(project, blurred)
    shutil.rmtree(project.path / ".dvc" / "cache")
    shutil.rmtree(project.path.parent / "remote")
    code, rule, message = check(project, before, after)
    assert (code, rule) == (3, "weights-missing")
    assert "not in remote" in message
    assert str(project.path.parent) not in message
