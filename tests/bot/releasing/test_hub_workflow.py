"""The workflow of a project walked from a merge to a published release: its own shell steps, git
over HTTP, and the command in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.github import given
from tests.bot.releasing.clones import git
from tests.bot.releasing.hosting import SECRET, WORKFLOW, Hosted, variables
from tests.bot.releasing.project import Project
from tests.examples.test_release_workflow import GH, TOKEN, bash, planned, program, script
from tests.githubfake.people import Token

PYTHON = f'#!/bin/bash\nexec {sys.executable} "$@"\n'
CONSOLE = "import sys\nfrom modelwarden import main\nsys.exit(main())\n"


@pytest.fixture(autouse=True)
def _tools() -> None:
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("curl or jq is not installed")


def plan(at: Hosted, place: Path, sha: str, number: int | None = None) -> str:
    """Walk the job `plan` with the rights that it has; return the commit it chose."""
    stated: dict[str, str] = WORKFLOW["jobs"]["plan"]["permissions"]
    rights = {name.replace("-", "_"): level for name, level in stated.items()}
    bot = at.fake.user(given.ACTIONS, "Bot")
    at.fake.tokens[TOKEN] = Token(
        TOKEN, bot, float("inf"), at.fake.installation(at.home), rights, (at.home.id,)
    )
    program(place / "bin/gh", GH)
    code, commit = planned(at.fake, place, sha, None if number is None else str(number))
    assert code == 0
    return commit


def release(
    at: Hosted, machine: Project, commit: str, *, version: str = "", main: str = "main",
    run: int = 7001,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Walk the last step of the job `release` on a machine."""
    temp = at.place / f"temp-{machine.name}"
    program(temp / "warden/bin/python", PYTHON)
    program(temp / "warden/bin/modelwarden", CONSOLE)
    kept = {name: os.environ[name] for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
    done = bash(
        script("release", "Release"), machine.path,
        **kept, **variables(at.fake, run), RUNNER_TEMP=str(temp),
        GITHUB_WORKSPACE=str(machine.path), COMMIT=commit, VERSION=version, MAIN=main,
        KEY=at.mine.key().read_text().rstrip("\n"), PASSPHRASE="",
    )  # fmt: skip
    assert not list(temp.glob("keys.*"))
    assert SECRET not in done.stdout + done.stderr
    assert "PRIVATE KEY" not in done.stdout + done.stderr
    assert done.stdout.startswith("::stop-commands::")
    return done


def test_from_the_merge_to_the_release(at: Hosted, tmp_path: Path) -> None:
    pull = at.merged()
    commit = plan(at, tmp_path, pull.merge_sha or "")
    assert commit == pull.merge_sha
    machine = at.runner(commit)
    done = release(at, machine, commit)
    assert done.returncode == 0, done.stderr
    assert not at.one.draft and len(at.said(pull)) == 1
    author = at.home.bare.git("log", "-1", "--format=%an <%ae>", "modelwarden-releases")
    assert author == f"{given.ACTIONS} <41898282+{given.ACTIONS}@users.noreply.github.com>"
    held = (machine.path / ".git/config").read_text()
    assert "credential" not in held and SECRET not in held
    assert git(machine.path, "status", "--porcelain") == ""
    again = release(at, at.runner(commit), commit)
    assert again.returncode == 0, again.stderr
    assert len(at.releases) == 1 and len(at.said(pull)) == 1


def test_asked_for_by_hand_in_a_repository_whose_main_branch_is_another(
    at: Hosted, tmp_path: Path
) -> None:
    at.home.bare.git("branch", "-m", "main", "trunk")
    at.home.bare.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    at.home.default_branch = "trunk"
    pull = at.pull(label="")
    at.home.grant("octavia", "maintain")
    commit = pull.merge("octavia")
    at.home.commit({"later.md": "Later.\n"})
    output = tmp_path / "plan"
    output.mkdir()
    assert commit
    machine = at.runner(commit)
    done = release(at, machine, commit, version="0.9.0", main="trunk")
    assert done.returncode == 0, done.stderr
    assert (at.one.tag, at.one.target, at.one.draft) == ("v0.9.0", commit, False)


def test_what_stops_a_release_fails_its_job(at: Hosted, tmp_path: Path) -> None:
    pull = at.merged({"model/evil.pkl": b"\x80\x04cos\nsystem\n(S'true'\ntR."})
    commit = plan(at, tmp_path, at.home.head(), pull.number)
    done = release(at, at.runner(commit), commit)
    assert done.returncode in (1, 3) and at.releases == []
    assert done.stderr.rstrip().splitlines()[-2].startswith("modelwarden: ")
