"""The repository passes its own check, every file of it taken as new."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="constraints.txt is resolved on 3.11")
def test_the_repository_passes_its_own_check() -> None:
    # Sign-offs are judged change by change; a shallow checkout does not have the commits.
    done = subprocess.run(
        [
            Path(sys.executable).with_name("modelwarden"), "check", "--base", EMPTY_TREE,
            "--head", "HEAD^{tree}", "--policy", ".github/modelwarden.yml", "--format", "json",
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads(done.stdout)["verdicts"]
    assert {v["outcome"] for v in verdicts} <= {"pass", "skip"}
    assert len(verdicts) == 14
