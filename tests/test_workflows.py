"""Workflows obey the law they are here to keep: linted, pinned, and their scripts run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from bot import setup
from bot.checks.community import workflows
from tests.gitrepo import Repo, environment

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = [ROOT / "action.yml", ROOT / "publish/action.yml"]
SCRIPTS = sorted((ROOT / ".github/action").glob("*.sh"))
USES = re.compile(r"^\s*(?:- )?uses: ([^\s#]+)(?:\s+# (v[0-9.]+))?$", re.MULTILINE)


@pytest.fixture(params=["with DVC", "without"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The workflow that `modelwarden init` writes."""
    repo = Repo(tmp_path / "project")
    repo.commit({"dvc.yaml" if request.param == "with DVC" else "a": ""})
    list(setup.run(repo.path))
    return repo.path / setup.WORKFLOW_PATH


def zizmor(*paths: Path, cwd: Path = ROOT) -> str:
    tool = Path(sys.executable).with_name("zizmor")
    if not tool.exists():
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [tool, "--offline", "--no-progress", "--strict-collection", *paths],
        cwd=cwd, capture_output=True, text=True,
        env=environment() | {"NO_COLOR": "1"},
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_linter_finds_nothing_in_ours() -> None:
    assert zizmor(ROOT / ".github", *ACTIONS) == ""


def test_the_linter_finds_nothing_in_what_init_writes(written: Path) -> None:
    assert zizmor(written, cwd=written.parents[2]) == ""


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    text = WORKFLOWS[0].read_text()
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    for name, old, new in (
        ("pin.yml", re.search(r"checkout@[0-9a-f]{40}", text), "checkout@main"),
        ("injection.yml", re.search(r"bash \.ci/run", text), "echo ${{ github.head_ref }}"),
    ):
        assert old is not None
        (folder / name).write_text(text.replace(old.group(), new))
        assert zizmor(folder / name, cwd=tmp_path) != ""


def test_actionlint_finds_nothing(written: Path) -> None:
    tool = shutil.which("actionlint")
    if tool is None:
        pytest.skip("actionlint is not installed; its wheel downloads a binary while it builds")
    done = subprocess.run([tool, *WORKFLOWS, written], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=str)
def test_our_own_check_finds_nothing(path: Path) -> None:
    read = workflows.read if path in WORKFLOWS else workflows.read_action
    assert read(path.read_bytes(), "0" * 40).each == ()


def test_our_own_check_finds_nothing_in_what_init_writes(written: Path) -> None:
    assert workflows.read(written.read_bytes(), "0" * 40).each == ()


def test_every_action_is_pinned_to_one_commit_with_its_version(written: Path) -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in (*WORKFLOWS, *ACTIONS, written):
        text = path.read_text()
        found = USES.findall(text)
        assert len(found) == len(re.findall(r"^\s*(?:- )?uses:", text, re.MULTILINE)), path
        for uses, version in found:
            if uses == "$/":
                continue
            name, _, commit = uses.partition("@")
            assert re.fullmatch(r"[0-9a-f]{40}", commit) and version, (path, uses)
            pins.setdefault(name, set()).add((commit, version))
    assert all(len(commits) == 1 for commits in pins.values()), pins


def test_rights_are_stated_and_few() -> None:
    rights = {}
    for path in WORKFLOWS:
        document = yaml.safe_load(path.read_text())
        for name, job in document["jobs"].items():
            rights[path.stem, name] = job.get("permissions", document["permissions"])
        assert "pull_request_target" not in document[True]  # YAML 1.1 reads `on` as true
        assert "secrets." not in path.read_text()
    write = {key for key, value in rights.items() if "write" in str(value)}
    assert write == {("release", "publish")}
    assert rights["measure", "measure"] == {"contents": "read"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_valid_and_stop_at_the_first_error(script: Path) -> None:
    assert script.read_text().splitlines()[0] == "#!/usr/bin/env bash"
    assert re.search(r"^set -euf? ?-?o pipefail$", script.read_text(), re.MULTILINE)
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


# --- measure: the head that was approved, or nothing ------------------------------------


@pytest.fixture
def clone(repo: Repo, tmp_path: Path) -> Repo:
    """A clone of a repository with a pull request number 7 of another one."""
    repo.commit({"a": "1"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"evil.sh": "exit 1\n", ".gitattributes": "* filter=x\n"})
    repo.git("update-ref", "refs/pull/7/head", "HEAD")
    repo.git("checkout", "-q", "main")
    Repo(tmp_path / "clone").git("remote", "add", "origin", str(repo.path))
    return Repo(tmp_path / "clone")


def script(name: str, cwd: Path, **words: str) -> tuple[int, str]:
    output = cwd.parent / "step-output"
    output.write_text("")
    done = subprocess.run(
        ["bash", ROOT / ".github/action" / name],
        cwd=cwd, capture_output=True, text=True,
        env=environment() | {"GITHUB_OUTPUT": str(output)} | words,
    )  # fmt: skip
    return done.returncode, done.stdout + output.read_text()


def test_the_approved_head_is_fetched_and_not_checked_out(repo: Repo, clone: Repo) -> None:
    head = repo.git("rev-parse", "topic")
    for given in (head, head[:12]):
        code, said = script("approved.sh", clone.path, NUMBER="7", HEAD=given)
        assert (code, said) == (0, f"head={head}\n")
    assert clone.git("cat-file", "-t", head) == "commit"
    assert not (clone.path / "evil.sh").exists()


def test_a_push_after_the_approval_ends_it(repo: Repo, clone: Repo) -> None:
    looked_at = repo.git("rev-parse", "topic")
    repo.git("checkout", "-q", "topic")
    repo.git("update-ref", "refs/pull/7/head", pushed := repo.commit({"b": "2"}))
    code, said = script("approved.sh", clone.path, NUMBER="7", HEAD=looked_at[:12])
    assert code == 1 and "head=" not in said
    assert f"start again with head {pushed[:12]}" in said


@pytest.mark.parametrize(
    ("number", "head"),
    [
        ("7", ""), ("7", "a" * 11), ("7", "A" * 40), ("7", "main"), ("7", "a" * 40 + "\n"),
        ("", "a" * 40), ("0", "a" * 40), ("7/head:refs/heads/main #", "a" * 40),
        ("--upload-pack=touch pwned", "a" * 40), ("$(touch pwned)", "a" * 40),
    ],
)  # fmt: skip
def test_no_other_input_reaches_git(clone: Repo, number: str, head: str) -> None:
    code, said = script("approved.sh", clone.path, NUMBER=number, HEAD=head)
    assert code == 2 and "::error::input" in said
    assert not list(clone.path.parent.rglob("pwned"))


def test_a_pull_request_that_is_not_there_is_an_error(clone: Repo) -> None:
    code, said = script("approved.sh", clone.path, NUMBER="8", HEAD="a" * 40)
    assert code != 0 and "head=" not in said


# --- release: a tag on the main branch that names the version ---------------------------


@pytest.mark.parametrize(
    ("branch", "tag", "code"),
    [
        ("main", "v1.2.0", 0),
        ("main", "v1.2.1", 1),
        ("topic", "v1.2.0", 1),
        ("main", "v1.2.0rc1", 1),
    ],
)
def test_a_release_is_a_tag_of_the_main_branch(
    repo: Repo, tmp_path: Path, branch: str, tag: str, code: int
) -> None:
    repo.commit({"pyproject.toml": '[project]\nname = "x"\nversion = "1.2.0"\n'})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"a": "not merged"})
    clone = tmp_path / "clone"
    repo.git("clone", "-q", str(repo.path), str(clone))
    sha = repo.git("rev-parse", branch)
    got, said = script("tagged.sh", clone, MAIN="main", GITHUB_SHA=sha, GITHUB_REF_NAME=tag)
    assert got == code, said


# --- publish: what a run left behind, at most so much of it ------------------------------


class Hub(BaseHTTPRequestHandler):
    """The two answers of GitHub's API, and the storage it sends a download on to."""

    artifacts: ClassVar[list[dict[str, Any]]] = []
    archive: ClassVar[bytes] = b""
    seen: ClassVar[list[tuple[str, str]]] = []
    chunked: ClassVar[bool] = False

    def do_GET(self) -> None:
        Hub.seen.append((self.path, self.headers.get("Authorization", "")))
        if self.path.startswith("/repos/o/r/actions/runs/99/artifacts"):
            self._send(json.dumps({"artifacts": Hub.artifacts}).encode())
        elif self.path.endswith("/zip"):
            self.send_response(302)
            port = self.connection.getsockname()[1]
            self.send_header("Location", f"http://localhost:{port}/storage")
            self.end_headers()
        else:
            self._send(Hub.archive)

    def _send(self, data: bytes) -> None:
        self.send_response(200)
        if not Hub.chunked:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):  # the other side has had enough
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.artifacts = [
        {"id": 5, "name": "modelwarden", "expired": False, "size_in_bytes": 3},
        {"id": 6, "name": "modelwarden", "expired": False, "size_in_bytes": 3},
        {"id": 7, "name": "other", "expired": False, "size_in_bytes": 3},
    ]
    Hub.archive, Hub.seen, Hub.chunked = b"PK!", [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(hub: str, tmp_path: Path, **words: str) -> tuple[int, str]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    tmp_path.joinpath("temp").mkdir(exist_ok=True)
    given = {
        "RUNNER_TEMP": str(tmp_path / "temp"), "GITHUB_API_URL": hub, "GITHUB_REPOSITORY": "o/r",
        "RUN": "99", "ARTIFACT": "modelwarden", "TOKEN": "t0ken", "NO_PROXY": "*",
        "INSTALLED": str(Path(sys.executable).parents[1]),
    }  # fmt: skip
    return script("fetch.sh", tmp_path / "temp", **given | words)


def test_the_newest_artifact_of_the_name_is_fetched(hub: str, tmp_path: Path) -> None:
    code, said = fetch(hub, tmp_path)
    assert (code, said.startswith("archive=")) == (0, True), said
    assert Path(said.strip().removeprefix("archive=")).read_bytes() == b"PK!"
    paths = [path for path, _ in Hub.seen]
    assert paths[1:] == ["/repos/o/r/actions/artifacts/6/zip", "/storage"]
    # The storage is another host: it never sees the token.
    assert [token for _, token in Hub.seen] == ["Bearer t0ken", "Bearer t0ken", ""]
    assert "t0ken" not in said and not any(
        "t0ken" in path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize(
    "artifacts",
    [
        [],
        [{"id": 6, "name": "modelwarden", "expired": True, "size_in_bytes": 3}],
        [{"id": 6, "name": "modelwarden", "expired": False, "size_in_bytes": 50_000_001}],
        [{"id": 6, "name": "Modelwarden", "expired": False, "size_in_bytes": 3}],
    ],
)
def test_without_an_artifact_there_is_nothing_to_show(
    hub: str, tmp_path: Path, artifacts: list[dict[str, Any]]
) -> None:
    Hub.artifacts = artifacts
    code, said = fetch(hub, tmp_path)
    assert code == 0 and "Nothing to show" in said and "archive=" not in said


@pytest.mark.parametrize("chunked", [False, True])
def test_a_larger_archive_than_was_said_is_refused(hub: str, tmp_path: Path, chunked: bool) -> None:
    Hub.archive, Hub.chunked = bytes(50_000_001), chunked
    code, said = fetch(hub, tmp_path)
    assert code != 0 and "archive=" not in said


@pytest.mark.parametrize("run", ["", "99/../1", "x", "$(touch pwned)"])
def test_an_event_without_a_run_is_refused(hub: str, tmp_path: Path, run: str) -> None:
    code, _ = fetch(hub, tmp_path, RUN=run)
    assert code == 2 and not Hub.seen


def test_a_name_that_is_no_number_is_no_address(hub: str, tmp_path: Path) -> None:
    Hub.artifacts = [
        {"id": "6/../../x", "name": "modelwarden", "expired": False, "size_in_bytes": 3}
    ]
    code, _ = fetch(hub, tmp_path)
    assert code != 0 and len(Hub.seen) == 1
