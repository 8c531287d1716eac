"""The demo, whole: what `make demo` runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from examples import demo
from examples.project import ROOT

pytest.importorskip("torch")
pytest.importorskip("dvc")

LOADED = r"""<(?:script|img|iframe|link)[^>]+(?:src|href)\s*=\s*["']?http"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    reports = tmp_path_factory.mktemp("demo") / "reports"
    scratch = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    done = subprocess.run(
        [*command, "--output", str(reports)],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    )
    assert not list(scratch.iterdir()), "left behind in the temporary folder"
    return done, reports


def test_good_passes_and_bad_fails_everywhere(
    ran: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, reports = ran
    assert done.returncode == 0, done.stdout + done.stderr
    bad = json.loads((reports / "bad.json").read_text())
    blocking = {v["check"]: [f["rule"] for f in v["findings"] if f["blocks"]]
                for v in bad["verdicts"]}  # fmt: skip
    assert all(blocking[check] for check in demo.CHECKS), blocking
    assert "check --repo PATH" in done.stdout
    assert "\ntiny-llm, " in done.stdout
    assert "\nrelease tiny-llm 1.0.0 (" in done.stdout
    assert "\nevery link is there\n" in done.stdout
    assert "1.0.0 is released and verified" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_nothing(tmp_path: Path, number: int) -> None:
    scratch = tmp_path / "temporary"
    scratch.mkdir()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "demo.py"), "--output", str(tmp_path / "reports")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "stage 'train'" in line:
                running.send_signal(number)
                break
        _, complaint = running.communicate(timeout=10)  # training takes longer
    assert (running.returncode, complaint) == (130, "demo: stopped\n")
    assert not list(scratch.iterdir())
    assert not [p for p in Path("/proc").glob("[0-9]*/cwd") if str(scratch) in where(p)]


def where(link: Path) -> str:
    """Where a process stands, "" if it is gone."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_reports_need_no_network(ran: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, reports = ran
    for name in ("good", "bad"):
        page = (reports / f"{name}.html").read_text(encoding="utf-8")
        assert "<svg" in page
        assert not re.findall(LOADED, page)


def reviewed(branch: str, code: int, outcome: str) -> demo.Review:
    data: Any = {"verdicts": [{"check": c, "outcome": outcome} for c in demo.CHECKS]}
    return demo.Review(branch, code, "", data)


GOOD, BAD = reviewed("good", 0, "pass"), reviewed("bad", 1, "fail")


NOTHING = [f"bad: {check} says missing" for check in demo.CHECKS]


def without(review: demo.Review, check: str, outcome: str) -> demo.Review:
    changed = [v | {"outcome": outcome} if v["check"] == check else v
               for v in review.data["verdicts"]]  # fmt: skip
    return replace(review, data={"verdicts": changed})


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (GOOD, BAD, []),
        (replace(GOOD, code=3), BAD, ["good: exit code 3, not 0"]),
        (GOOD, replace(BAD, code=0), ["bad: exit code 0, not 1"]),
        (without(GOOD, "weights", "skip"), BAD, ["good: weights says skip"]),
        (without(GOOD, "weights", "error"), BAD, ["good: weights says error"]),
        (GOOD, without(BAD, "community", "pass"), ["bad: community says pass"]),
        (GOOD, without(BAD, "regression", "error"), ["bad: regression says error"]),
        (
            GOOD,
            replace(BAD, data={"verdicts": []}),
            NOTHING,
        ),
    ],
)
def test_the_demo_notices_what_differs(
    good: demo.Review, bad: demo.Review, told: list[str]
) -> None:
    assert demo.surprises(good, bad) == told
