"""The workflow a project copies to release: linted, few rights, and its shell steps run for real.

`gh` is stood in for by curl and jq, against the GitHub of the tests; the verb by a script that
says how it was called.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checks.community import workflows
from bot.github import given
from modelwarden import __version__
from tests.githubfake import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.repository import Repository
from tests.gitrepo import Repo, environment

ROOT = Path(__file__).parents[2]
PATH = ROOT / "examples/workflows/release.yml"
DOCUMENT: dict[Any, Any] = yaml.safe_load(PATH.read_text())
TOKEN = "ghs_" + "7Hq2" * 9
KEY = "-----BEGIN PRIVATE KEY-----\nMC4\n-----END PRIVATE KEY-----"
GH = """#!/bin/bash
set -euo pipefail
[[ $1 == api && $3 == --jq ]]
curl -sS --fail -H "Authorization: Bearer $GH_TOKEN" "$GITHUB_API_URL/$2" | jq -r "$4"
"""
VERB = """#!/bin/bash
{ printf '%s\\n' "$@"; echo "cwd=$PWD"; env; } > "$SEEN"
while [[ $# -gt 0 ]]; do
  case $1 in --key|--passphrase-file) stat -c %a "$2" >> "$SEEN"; cat "$2" >> "$SEEN" ;; esac
  shift
done
exit "${STATUS:-0}"
"""


def script(job: str, name: str) -> str:
    steps: list[dict[str, Any]] = DOCUMENT["jobs"][job]["steps"]
    found: str = next(step["run"] for step in steps if step.get("name") == name)
    return found


def bash(text: str, folder: Path, **words: str) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner does."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=folder, capture_output=True, text=True, env=environment() | words,
    )  # fmt: skip


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


# What it is


def test_the_linter_finds_nothing() -> None:
    tool = Path(sys.executable).with_name("zizmor")
    if not tool.exists():
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [tool, "--offline", "--no-progress", "--strict-collection", PATH],
        capture_output=True, text=True, env=environment() | {"NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert workflows.read(PATH.read_bytes(), "0" * 40).each == ()


def test_it_starts_from_what_is_merged_and_has_few_rights() -> None:
    on = DOCUMENT[True]  # YAML 1.1 reads `on` as true
    assert set(on) == {"push", "workflow_dispatch"} and on["push"] == {"branches": ["main"]}
    assert set(on["workflow_dispatch"]["inputs"]) == {"pull", "version"}
    assert DOCUMENT["permissions"] == {}
    plan, release = DOCUMENT["jobs"]["plan"], DOCUMENT["jobs"]["release"]
    assert set(plan["permissions"].values()) == {"read"} and "default_branch" in plan["if"]
    assert release["permissions"] == {
        "contents": "write", "pull-requests": "write", "checks": "read",
    }  # fmt: skip
    assert release["environment"] == "release" and release["needs"] == "plan"
    text = PATH.read_text()
    assert text.count("secrets.") == 2 == text[text.index("name: Release") :].count("secrets.")
    for run in (step.get("run", "") for job in (plan, release) for step in job["steps"]):
        assert "${{" not in run


def test_actions_are_those_that_ours_are_pinned_to() -> None:
    uses = set(re.findall(r"uses: (\S+ # v[0-9.]+)$", PATH.read_text(), re.MULTILINE))
    ours = "".join(p.read_text() for p in (ROOT / ".github/workflows").glob("*.yml"))
    assert len(uses) == 2 and all(one in ours for one in uses)
    assert f"modelwarden[app,audit,dvc,mlflow,model]=={__version__}" in PATH.read_text()


# Which commit is released


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("curl or jq is not installed")
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub, tmp_path: Path) -> Repository:
    made = hub.repository("acme/tiny")
    stated: dict[str, str] = DOCUMENT["jobs"]["plan"]["permissions"]
    rights = {name.replace("-", "_"): level for name, level in stated.items()}
    hub.tokens[TOKEN] = Token(
        TOKEN, hub.user(given.ACTIONS, "Bot"), float("inf"), hub.installation(made),
        rights, (made.id,),
    )  # fmt: skip
    program(tmp_path / "bin/gh", GH)
    return made


def planned(hub: FakeGitHub, folder: Path, sha: str, number: str | None = None) -> tuple[int, str]:
    """The exit status of the plan, and the commit that it chose."""
    output = folder / "output"
    output.write_text("")
    event = "push" if number is None else "workflow_dispatch"
    done = bash(
        script("plan", "Find the merged pull request and its commit"), folder,
        PATH=f"{folder / 'bin'}:{environment()['PATH']}", GITHUB_OUTPUT=str(output),
        GITHUB_API_URL=hub.url, GITHUB_REPOSITORY="acme/tiny", GITHUB_EVENT_NAME=event,
        GITHUB_SHA=sha, GH_TOKEN=TOKEN, MAIN="main", NUMBER=number or "",
    )  # fmt: skip
    assert TOKEN not in done.stdout + done.stderr
    return done.returncode, output.read_text().strip().removeprefix("commit=")


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_the_merge_of_a_labelled_pull_request_is_released(
    hub: FakeGitHub, repo: Repository, tmp_path: Path, method: str
) -> None:
    pull = repo.pull(files={"a.py": "1\n"})
    pull.labels.append("release")
    sha = pull.merge(method=method)
    assert planned(hub, tmp_path, sha) == (0, sha)
    later = repo.commit({"b.py": "pushed\n"})
    assert planned(hub, tmp_path, later) == (0, "")
    assert planned(hub, tmp_path, later, str(pull.number)) == (0, sha)


def test_other_merges_are_not_released_by_themselves(
    hub: FakeGitHub, repo: Repository, tmp_path: Path
) -> None:
    pull = repo.pull(files={"a.py": "1\n"})
    pull.labels += ["bug", "released", "Release"]
    sha = pull.merge()
    assert planned(hub, tmp_path, sha) == (0, "")
    assert planned(hub, tmp_path, "f" * 40, str(pull.number)) == (0, sha)  # asked for by hand


def test_what_is_not_merged_into_the_main_branch_is_refused(
    hub: FakeGitHub, repo: Repository, tmp_path: Path
) -> None:
    opened = repo.pull(files={"a.py": "1\n"})
    opened.labels.append("release")
    assert planned(hub, tmp_path, opened.head) == (0, "")
    assert planned(hub, tmp_path, repo.head(), str(opened.number)) == (1, "")
    repo.bare.point("refs/heads/side", repo.head())
    aside = repo.pull(branch="y", files={"b.py": "1\n"}, base="side")
    aside.labels.append("release")
    sha = aside.merge()
    assert planned(hub, tmp_path, sha) == (0, "")
    assert planned(hub, tmp_path, sha, str(aside.number)) == (1, "")
    assert planned(hub, tmp_path, sha, "99")[0] != 0


@pytest.mark.parametrize(
    "number", ["", "0", "-1", "1/../2", "1?x=y", "$(touch pwned)", "1\n2", "١", "1" * 10, "#1"]
)
def test_no_other_input_reaches_the_api(
    hub: FakeGitHub, repo: Repository, tmp_path: Path, number: str
) -> None:
    asked = len(hub.requests)
    assert planned(hub, tmp_path, repo.head(), number) == (2, "")
    assert len(hub.requests) == asked and not list(tmp_path.rglob("pwned"))


# The key, and the token


def release(folder: Path, **words: str) -> tuple[subprocess.CompletedProcess[str], str]:
    temp = folder / "temp"
    program(temp / "warden/bin/python", VERB)
    checkout = Repo(folder)
    checkout.git("remote", "add", "origin", "https://github.com/acme/tiny")
    checkout.git("update-ref", "refs/remotes/origin/main", checkout.commit({"a": "1"}))
    seen = folder / "seen"
    given_: dict[str, str] = {
        "RUNNER_TEMP": str(temp), "GITHUB_WORKSPACE": str(folder), "SEEN": str(seen),
        "COMMIT": "c" * 40, "MAIN": "main", "VERSION": "",
        "KEY": KEY, "PASSPHRASE": "", "GITHUB_TOKEN": TOKEN,
    }  # fmt: skip
    done = bash(script("release", "Release"), folder, **given_ | words)
    return done, seen.read_text()


@pytest.mark.parametrize("status", ["0", "1", "3"])
def test_the_key_is_a_file_of_its_own_while_it_is_used(tmp_path: Path, status: str) -> None:
    done, seen = release(tmp_path, PASSPHRASE="open sesame", VERSION="1.2.0", STATUS=status)
    assert done.returncode == int(status)
    words = seen.splitlines()
    assert words[:4] == ["-I", "warden/bin/modelwarden", "release", "run"]
    assert words[4:8] == ["--repo", str(tmp_path), "--commit", "c" * 40]
    assert words[words.index("--version") + 1] == "1.2.0"
    assert f"cwd={tmp_path / 'temp'}" in words
    assert f"600\n{KEY}\n600\nopen sesame\n" in seen
    assert not re.search(r"^(KEY|PASSPHRASE)=", seen, re.MULTILINE)  # not in its environment
    assert not list((tmp_path / "temp").glob("keys.*"))
    assert "PRIVATE KEY" not in done.stdout and "::stop-commands::" in done.stdout


def test_without_a_passphrase_and_a_version_neither_is_given(tmp_path: Path) -> None:
    _, seen = release(tmp_path)
    assert "--version" not in seen and "--passphrase-file" not in seen


def test_git_gets_the_token_from_the_step_and_for_its_own_server_only(tmp_path: Path) -> None:
    steps = DOCUMENT["jobs"]["release"]["steps"]
    env = {k: str(v) for k, v in steps[-1]["env"].items() if k.startswith("GIT_CONFIG_")}
    name = "GIT_CONFIG_KEY_0"
    env[name] = env[name].replace("${{ github.server_url }}", "https://github.com")
    for host, told in (("github.com", f"password={TOKEN}"), ("evil.example", "")):
        done = subprocess.run(
            ["git", "credential", "fill"], input=f"protocol=https\nhost={host}\n\n",
            capture_output=True, text=True, cwd=tmp_path,
            env=environment() | env | {"GITHUB_TOKEN": TOKEN, "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
        assert (told in done.stdout.splitlines()) if told else TOKEN not in done.stdout
