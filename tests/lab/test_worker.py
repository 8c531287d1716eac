"""The worker as the sandbox starts it: a process of its own, files in, one file out."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lab import worker
from lab.protocol import Filter, Generation, Item, Kind, Request, Response, Task
from lab.wire import dump_request, read_response
from tests.lab.models import TEXT, make_model

ROOT = Path(__file__).resolve().parents[2]
TASKS = (
    Task("texts", tuple(Item(str(n), "", (text,)) for n, text in enumerate(TEXT)), Kind.TEXT),
    Task("quiz", (Item("a", "The keeper of the", (" lamp", " sail"), 0, "c"),), Kind.CHOICES),
)


def run(request: Request, folder: Path) -> tuple[int, Response, str]:
    source, target = folder / "request.json", folder / "response.json"
    source.write_bytes(dump_request(request))
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "2"}
    found = subprocess.run(
        [sys.executable, "-I", ROOT / "modelwarden.py", "_score", source, target],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert sorted(p.name for p in folder.glob("re*")) == ["request.json", "response.json"]
    return found.returncode, read_response(target.read_bytes(), request), found.stderr


def test_two_models(llama: Path, tmp_path: Path) -> None:
    other = make_model(tmp_path / "other", seed=5)
    models = (("base", str(llama)), ("head", str(other)), ("again", str(llama)))
    code, response, said = run(Request(models, TASKS, "cpu", 2), tmp_path)
    assert code == 0
    base, head, again = response.scores
    assert base.tasks != head.tasks
    assert base.fingerprint != head.fingerprint
    assert again == replace(base, model="again")
    assert (base.parameters, base.architecture, base.device) == (41_120, "LlamaForCausalLM", "cpu")
    assert dict(response.versions).keys() >= {"torch", "transformers"}
    lines = said.splitlines()
    assert "base: 5/5" in lines
    # The same files are not run again.
    assert all(line.split(":")[0] in ("base", "head") for line in lines)


def test_a_broken_model_is_a_failure_with_its_name(llama: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    models = (("base", str(llama)), ("head", str(broken)))
    code, response, _ = run(Request(models, TASKS, "cpu", 2), tmp_path)
    assert (code, response.scores) == (0, ())
    assert response.failure is not None
    assert (response.failure.model, response.failure.reason) == ("head", "config.json is missing")


def test_a_suite_that_cannot_be_scored_is_a_failure_too(llama: Path) -> None:
    item = Item("a", "The keeper", ("of the lamp",))
    odd = Generation(tokens=2, filters=(Filter("no such filter"),))
    task = Task("odd", (item,), Kind.GENERATE, generation=odd)
    found = worker.respond(Request((("base", str(llama)),), (task,), "cpu"))
    assert found.failure is not None
    assert found.failure.model == "base"
    assert "'no such filter' is not supported" in found.failure.reason


@pytest.mark.parametrize("device", ["cuda", "tpu", "cpu:x"])
def test_a_device_that_is_not_there(llama: Path, device: str) -> None:
    import torch

    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    found = worker.respond(Request((("base", str(llama)),), TASKS, device))
    assert found.failure is not None
    assert found.failure.reason == f"device '{device}' is not there"


def test_bad_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.json"
    bad = tmp_path / "bad.json"
    bad.write_text('{"models": 1}')
    for argv in ([], [str(bad), str(target)], [str(tmp_path / "none"), str(target)]):
        assert worker.main(argv) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not target.exists()
