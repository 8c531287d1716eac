"""The share of hostile files that is found, and of harmless ones that is not held up."""

from __future__ import annotations

import contextlib
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from security.scan.allowed import table
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement, Limits
from tests.security.scan import harmless, hostile

PASSED = (Judgement.CLEAN, Judgement.SKIP)
NAMES = sorted(hostile.corpus(""))
LIVE = ("protocol-0.pkl", "memo-confusion.pkl", "breaks-after.pkl", "no-stop.pkl", "inst.pkl",
        "memo-overwritten.pkl", "frame-that-lies.pkl", "optimized.pkl", "gguf-like",
        "safetensors-like", "junk-before.bin", "renamed.safetensors")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canary")


@pytest.fixture(scope="module")
def bad(folder: Path) -> dict[str, bytes]:
    return hostile.corpus(f"touch {folder / 'canary'}")


@pytest.fixture(scope="module")
def good() -> dict[str, bytes]:
    return harmless.corpus()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_files_do_not_pass_and_do_not_run(
    name: str, bad: dict[str, bytes], folder: Path, booth: Booth
) -> None:
    found = scan_file(of_bytes(name, bad[name]), booth=booth)
    assert found.judgement not in PASSED
    assert all(threat.what.isprintable() and len(threat.what) <= 300 for threat in found.threats)
    assert not (folder / "canary").exists()


@pytest.mark.parametrize("name", sorted(harmless.corpus()))
def test_harmless_files_pass(name: str, good: dict[str, bytes], booth: Booth) -> None:
    assert scan_file(of_bytes(name, good[name]), booth=booth).threats == ()


def test_the_corpus_is_wide(good: dict[str, bytes]) -> None:
    assert len(NAMES) >= 200
    assert len(good) >= 40


@pytest.mark.parametrize("name", LIVE)
def test_the_payloads_are_real(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(hostile.corpus(f"touch {tmp_path / 'canary'}")[name])
    code = "import pickle; pickle.load(open('file', 'rb'))"
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True)
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", sorted(hostile.streams("")))
def test_the_parser_in_python_is_asked_for_nothing_else(name: str, booth: Booth) -> None:
    """joblib and dill read by it; what only it met would have been missed."""
    data = hostile.streams("x")[name]
    asked: set[str] = set()

    class Python(pickle._Unpickler):
        def find_class(self, module: str, attribute: str) -> type:
            asked.add(f"{module}\n{attribute}")
            return type("Any", (), {"__init__": lambda *_: None, "__setstate__": id})

    with contextlib.suppress(Exception):  # broken streams break it
        Python(io.BytesIO(data)).load()
    outcome = booth.run(of_bytes(name, data), Limits())
    known = {f"{found.module}\n{found.name}" for found in outcome.found}
    assert asked <= known | table().keys()
