"""The command line where repositories, streams and machines are not as usual."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot import printing
from tests.bot.called import Here
from tests.bot.test_cli import MODELWARDEN, run
from tests.gitrepo import Repo, environment


def two(repo: Repo) -> None:
    repo.commit({"README.md": "# x\n"})
    repo.commit({"a.py": "x = 1\n"})


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes need a Linux file system")
@pytest.mark.parametrize("name", ["a b", "näme", "line\nend", "end\n", "bad\udcff"])
def test_a_repository_in_a_folder_of_any_name(here: Here, tmp_path: Path, name: str) -> None:
    repo = Repo(tmp_path / name)
    two(repo)
    done = here(repo.path, "check", "--base", "HEAD~1", "--report", "x.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert here(repo.path, "init").returncode == 0


def test_linked_worktrees_and_merges_in_them(here: Here, repo: Repo, tmp_path: Path) -> None:
    two(repo)
    other = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "topic", str(other))
    linked = Repo(other)
    linked.commit({"b.py": "1"})
    repo.commit({"c.py": "1"})
    message = tmp_path / "message"
    message.write_text("Merge branch main\n")
    assert here(other, "check", "--message", str(message)).returncode == 1
    linked.git("merge", "-q", "--no-commit", "main")
    assert here(other, "check", "--message", str(message)).returncode == 0
    assert here(repo.path, "check", "--message", str(message)).returncode == 1
    assert here(other, "check").returncode == 0


def test_sha256_repositories(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "wide"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(path)], check=True)
    repo = Repo(path)
    two(repo)
    assert here(path, "check", "--base", "HEAD~1").returncode == 0
    assert here(path, "check", "--staged").returncode == 0


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (["--base", "v1..HEAD"], "'v1..HEAD' is a range", "pass --base v1 --head HEAD"),
        (["--base", "v1...topic"], "is a range", "pass --base v1 --head topic"),
        (["--base", "HEAD:a.py"], "'HEAD:a.py' is not a commit", "pass a branch, tag or id"),
        (["--base", ""], "unknown revision ''", "git fetch origin"),
        (["--head", ""], "unknown revision ''", "git fetch origin"),
        (["--base", "^HEAD"], "unknown revision '^HEAD'", "git fetch origin"),
        (["--only", "files", "--skip", "files"], "no check is left to run", "--only and --skip"),
        (["--policy", "."], ".: is a folder", "--policy FILE"),
        (["--output", "."], ". is a folder", "name a file in it"),
        (["--output", "absent/x.txt"], "absent/x.txt cannot be written: No such", "has space left"),
        (["--output", "/proc/x.md"], "/proc/x.md cannot be written", "has space left"),
        (["--message", "absent"], "absent: No such file", "check that the path is there"),
    ],
)
def test_errors_are_one_line_and_one_remedy(
    here: Here, repo: Repo, words: list[str], said: str, remedy: str
) -> None:
    two(repo)
    done = here(repo.path, "check", *words)
    assert (done.returncode, done.stdout) == (2, "")
    first, second = done.stderr.splitlines()
    assert said in first and remedy in second


def test_no_commit_yet(here: Here, repo: Repo) -> None:
    done = here(repo.path, "check")
    assert done.returncode == 2 and "there is no commit yet" in done.stderr
    assert "--staged" in done.stderr
    assert here(repo.path, "check", "--staged").returncode == 0


def test_nothing_is_staged_in_a_bare_repository(here: Here, repo: Repo, tmp_path: Path) -> None:
    two(repo)
    bare = tmp_path / "bare"
    repo.git("clone", "-q", "--bare", ".", str(bare))
    assert here(bare, "check", "--base", "HEAD~1").returncode == 0
    done = here(bare, "check", "--staged")
    assert done.returncode == 2 and "nothing can be staged here" in done.stderr


def test_the_hint_for_a_shallow_clone_can_be_typed(here: Here, repo: Repo, tmp_path: Path) -> None:
    two(repo)
    repo.commit({"b": "1"})
    shallow = tmp_path / "shallow"
    repo.git("clone", "-q", "--depth", "1", repo.path.as_uri(), str(shallow))
    done = here(shallow, "check", "--base", "HEAD~2")
    command = done.stderr.partition("run: ")[2].split()
    subprocess.run(command, cwd=shallow, env=environment(), check=True)
    assert here(shallow, "check", "--base", "HEAD~2").returncode == 0


def test_a_conflict_is_not_staged_content(here: Here, repo: Repo) -> None:
    two(repo)
    blob = repo.blob(b"x")
    lines = "".join(f"100644 {blob} {stage}\ta.py\n" for stage in (1, 2, 3))
    repo.git("update-index", "--index-info", stdin=lines.encode())
    done = here(repo.path, "check", "--staged")
    assert done.returncode == 2 and "resolve conflicts first" in done.stderr


def test_a_policy_from_a_pipe(repo: Repo) -> None:
    two(repo)
    done = subprocess.run(
        [MODELWARDEN, "check", "--base", "HEAD~1", "--policy", "/dev/stdin"], cwd=repo.path,
        env=environment(), input=b"nonsense: 1\n", capture_output=True,
    )  # fmt: skip
    assert done.returncode == 2 and b"unknown key 'nonsense'" in done.stderr


def test_a_device_is_written_to_and_never_replaced(repo: Repo, tmp_path: Path) -> None:
    two(repo)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        done = run(repo.path, "check", "--base", "HEAD~1", "--output", str(pipe))
        assert reader.stdout is not None
        assert reader.stdout.read().startswith(b"PASS")
    assert done.returncode == 0
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    printing.write("text", link)
    assert link.is_symlink()


def shell(repo: Repo, line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line.replace("modelwarden", MODELWARDEN)], cwd=repo.path,
        env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "line",
    [
        "modelwarden check --base HEAD~1 | true; echo ${PIPESTATUS[0]}",
        "modelwarden check --base HEAD~1 >&-; echo $?",
        "modelwarden check --base HEAD~1 2>&- >/dev/null; echo $?",
        "modelwarden rules | true; echo ${PIPESTATUS[0]}",
        "PYTHONIOENCODING=ascii modelwarden rules >/dev/null; echo $?",
    ],
)
def test_streams_do_not_change_the_verdict(repo: Repo, line: str) -> None:
    two(repo)
    assert shell(repo, line) == "0"
    assert shell(repo, line.replace("HEAD~1", "nope")) == ("2" if "HEAD~1" in line else "0")


def test_names_in_errors_cannot_drive_the_terminal(repo: Repo) -> None:
    two(repo)
    done = run(repo.path, "check", "--base", "\x1b[31mred")
    assert done.returncode == 2 and "\x1b" not in done.stderr


def test_a_user_without_a_home(repo: Repo) -> None:
    two(repo)
    repo.commit({"requirements.txt": "click==8.1.7\n"})
    code = (
        "import os, sys; os.path.expanduser = lambda path: path\n"  # as for an unknown user
        "sys.argv = ['modelwarden', 'check', '--base', 'HEAD~1', '--format', 'json']\n"
        "import modelwarden; modelwarden.main()"
    )
    bare = {k: v for k, v in environment().items() if k not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repo.path, env=bare, capture_output=True, text=True
    )
    assert "unexpected" not in done.stderr and "itself broke" not in done.stdout
    assert json.loads(done.stdout)["verdicts"]
    assert repo.git("status", "--short") == ""


def test_comments_of_a_message_start_as_git_is_told(here: Here, repo: Repo, tmp_path: Path) -> None:
    two(repo)
    message = tmp_path / "message"
    trailer = "Signed-off-by: Ada <ada@example.org>\n"
    cut = "; ------------------------ >8 ------------------------\n"
    message.write_text(f"subject\n\n{trailer}\n; Please enter the message\n;\n{cut}diff --git\n")
    assert here(repo.path, "check", "--message", str(message)).returncode == 1
    repo.git("config", "core.commentChar", ";")
    assert here(repo.path, "check", "--message", str(message)).returncode == 0
    message.write_text(f"subject\n\n; {trailer}")
    assert here(repo.path, "check", "--message", str(message)).returncode == 1
