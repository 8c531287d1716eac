"""`modelwarden measure` as a process: what it prints, writes, and leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")
pytest.importorskip("transformers", reason="needs the model extra")

from modelwarden import ROOT
from tests.lab.models import TEXT, make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


def suite(folder: Path, items: int) -> Path:
    path = folder / "words.jsonl"
    rows = ({"text": TEXT[n % 4] * (1 + n % 3)} for n in range(items))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start it with a temporary folder and a home of its own."""
    for name in ("temporary", "home"):
        (folder / name).mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "2",
        "TMPDIR": str(folder / "temporary"),
        "HOME": str(folder / "home"),
    }
    return subprocess.Popen(
        [sys.executable, "-I", ROOT / "modelwarden.py", "measure", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(folder: Path) -> list[Path]:
    """Return what is there beside the cache."""
    return [p for name in ("temporary", "home") for p in (folder / name).rglob("*")
            if (p.is_file() or p.parent.name == "temporary")
            and not p.name.startswith("evidence.db")]  # fmt: skip


def test_numbers_for_people_and_for_dvc(model: Path, tmp_path: Path) -> None:
    words = (str(model), "--suite", str(suite(tmp_path, 12)), "--output", "metrics.json")
    process = start(tmp_path, *words)
    said, complaint = process.communicate(timeout=120)
    assert (process.returncode, complaint) == (0, "")
    assert "tiny: LlamaForCausalLM, 41,120 parameters" in said
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert f"{metrics['words']['bits_per_byte']:.4f}" in said
    assert left(tmp_path) == []


def test_a_bad_suite_is_named_with_its_line(model: Path, tmp_path: Path) -> None:
    path = suite(tmp_path, 2)
    path.write_text(path.read_text() + "not JSON\n")
    process = start(tmp_path, str(model), "--suite", path.name)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 2
    assert complaint.startswith("modelwarden: words.jsonl:3: Expecting value")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(model: Path, tmp_path: Path, number: int) -> None:
    words = (str(model), "--suite", str(suite(tmp_path, 20_000)), "--output", "metrics.json")
    process = start(tmp_path, *words)
    mapped = Path(f"/proc/{process.pid}/maps")
    until = time.monotonic() + 60
    while "libtorch" not in mapped.read_text() and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.strip() == "modelwarden: stopped"
    assert left(tmp_path) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "temporary", "words.jsonl"]
