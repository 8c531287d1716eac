"""The action: its shell steps run for real, on a real repository, with a pull request's event."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot import catalog
from bot.artifact import Run, comment, publication
from bot.github.values import Pull
from bot.github.values import Repo as Repository
from bot.people import Account
from bot.report.read import load
from bot.verdict import Outcome
from tests.composite import Ran, run
from tests.gitrepo import Repo, environment

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "action.yml"
INSTALLED = str(Path(sys.executable).parents[1])
FAST = {
    "modelwarden": INSTALLED,
    "skip": "regression",
    "licences": "false",
    "advisories": "",
}  # no index, no model


def event(base: str, head: str) -> dict[str, Any]:
    """What GitHub says of a pull request, as far as the action reads it."""
    return {
        "action": "synchronize",
        "number": 7,
        "before": "0" * 40,
        "pull_request": {
            "number": 7,
            "title": "$(touch pwned) `touch pwned`",
            "head": {"sha": head, "ref": "';touch pwned;'"},
            "base": {"sha": base, "ref": "main"},
        },
    }


def act(repo: Repo, temp: Path, start: str, end: str, **inputs: str) -> Ran:
    temp.mkdir(exist_ok=True)
    given = FAST | {name.replace("_", "-"): value for name, value in inputs.items()}
    words = environment() | {"XDG_CACHE_HOME": str(temp / "cache")}
    return run(ACTION, given, event(start, end), temp=temp, workspace=repo.path, environment=words)


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    return tmp_path / "temp"


def pair(repo: Repo, changes: dict[str, bytes | str]) -> tuple[str, str]:
    base = repo.commit({"README.md": "# x\n", "LICENSE": (ROOT / "LICENSE").read_bytes()})
    repo.git("checkout", "-q", "-b", "topic")
    return base, repo.commit(changes)


GOOD: dict[str, bytes | str] = {"train.py": "print(1)\n"}
BAD: dict[str, bytes | str] = {"requirements.txt": "requests\n"}


def test_a_good_change_passes(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, GOOD)
    ran = act(repo, temp, base, head)
    assert ran.code == 0, ran.log
    assert (ran.outputs["outcome"], ran.outputs["exit-code"]) == ("pass", "0")
    report = load(Path(ran.outputs["json"]).read_bytes())
    assert (report.change.base, report.change.head) == (base, head)
    assert [f.path for f in report.change.files] == ["train.py"]
    assert "regression" not in {v.check for v in report.verdicts}
    assert ran.summary.startswith("## ✅ PASS")
    assert repo.git("status", "--porcelain") == ""


def test_a_bad_change_fails_after_its_reports_are_handed_over(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, BAD)
    ran = act(repo, temp, base, head, artifact="reports")
    assert ran.code == 1
    assert (ran.outputs["outcome"], ran.outputs["exit-code"]) == ("fail", "1")
    assert ran.summary.startswith("## ❌ FAIL")
    assert "dependencies/unpinned" in ran.summary
    given = ran.used["actions/upload-artifact"]
    assert given["name"] == "reports"
    files = [Path(line) for line in given["path"].split()]
    assert [f.name for f in files] == ["report.json", "report.html", "findings.sarif"]
    assert all(f.is_relative_to(temp) and f.stat().st_size for f in files)
    sarif = json.loads(files[2].read_text())
    assert {r["ruleId"] for r in sarif["runs"][0]["results"]} >= {"dependencies/unpinned"}
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(files[0].read_text()))
    assert "actions/setup-python" not in ran.used  # nothing is installed


def test_the_job_may_go_on(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, BAD)
    ran = act(repo, temp, base, head, fail="false", artifact="")
    assert (ran.code, ran.outputs["outcome"], ran.outputs["exit-code"]) == (0, "fail", "1")
    assert "actions/upload-artifact" not in ran.used


def test_checks_are_chosen(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, BAD)
    ran = act(repo, temp, base, head, skip="", only="files\n  weights ")
    assert ran.code == 0, ran.log
    checks = {v.check for v in load(Path(ran.outputs["json"]).read_bytes()).verdicts}
    assert checks == {"files", "weights", "policy"}


def test_another_policy_is_read_at_the_base(repo: Repo, temp: Path) -> None:
    loose = "version: 1\ndependencies:\n  enabled: false\nlicenses:\n  enabled: false\n"
    base = repo.commit({"ci/policy.yml": "version: 1\n", "LICENSE": "x"})
    head = repo.commit(BAD | {"ci/policy.yml": loose})  # and checked out
    ran = act(repo, temp, base, head, policy="ci/policy.yml")
    assert (ran.code, ran.outputs["outcome"]) == (1, "fail")
    later = repo.commit({"requirements.txt": "requests\nhttpx\n"})
    again = act(repo, temp, head, later, policy="ci/policy.yml")
    assert (again.code, again.outputs["outcome"]) == (0, "pass"), again.log
    missing = act(repo, temp, base, head, policy="none.yml")
    assert missing.code == 2
    assert "no such file at the base" in missing.log


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"only": "no-such-check"}, 2),
        ({"head": "f" * 40}, 2),
        ({"head": "--upload-pack=touch pwned"}, 2),
        ({"base": "$(touch pwned)"}, 2),
        ({"skip": "'; touch pwned; '"}, 2),
        ({"plugins": "no-such-plugin"}, 2),
        ({"repository": "/nonexistent"}, 2),
    ],
)
def test_what_cannot_be_judged_is_no_pass(
    repo: Repo, temp: Path, inputs: dict[str, str], code: int
) -> None:
    base, head = pair(repo, GOOD)
    ran = act(repo, temp, base, head, **inputs)
    assert ran.code == code, ran.log
    assert (ran.outputs["outcome"], ran.outputs["exit-code"]) == ("error", str(code))
    assert "could not judge" in ran.summary
    assert ran.outputs["json"] == ""
    assert not list(repo.path.rglob("pwned")) and not list(temp.rglob("pwned"))


def test_could_not_tell_fails_the_job(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, {"notes.yml": "a: 1\n"})
    repo.git("checkout", "-q", "main")
    base = repo.commit({".github/modelwarden.yml": "version: 1\nsurprise: true\n"})
    ran = act(repo, temp, base, head)
    assert ran.code in (2, 3), ran.log
    assert ran.outputs["outcome"] == "error"


def test_a_merge_group_and_a_push_name_their_commits(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, GOOD)
    temp.mkdir()
    words = environment() | {"XDG_CACHE_HOME": str(temp / "cache")}
    events: dict[str, dict[str, Any]] = {
        "merge_group": {"merge_group": {"base_sha": base, "head_sha": head}},
        "push": {"before": base, "after": head},
        "a new branch": {"before": "0" * 40, "after": head},
    }
    for name, payload in events.items():
        ran = run(
            ACTION, FAST, payload, temp=temp, workspace=repo.path, environment=words, sha=head
        )
        assert ran.code == 0, (name, ran.log)
        change = load(Path(ran.outputs["json"]).read_bytes()).change
        assert (change.base, change.head) == (base, head), name


def test_a_checkout_cannot_bring_code_of_its_own(repo: Repo, temp: Path) -> None:
    evil = "import pathlib; pathlib.Path(__file__).with_name('pwned').touch()\n"
    names = ("sitecustomize.py", "usercustomize.py", "security/__init__.py", "bot/__init__.py",
             "json.py", "click.py", "venv.py", "pip.py", "modelwarden.py")  # fmt: skip
    base, head = pair(repo, dict.fromkeys(names, evil))
    repo.write({".git/hooks/post-checkout": f"#!/bin/sh\ntouch {repo.path}/pwned\n"})
    temp.mkdir()
    words = environment() | {
        "XDG_CACHE_HOME": str(temp / "cache"), "PYTHONPATH": str(repo.path),
        "PYTHONSTARTUP": str(repo.path / "json.py"),
    }  # fmt: skip
    ran = run(ACTION, FAST, event(base, head), temp=temp, workspace=repo.path, environment=words)
    assert ran.code == 0, ran.log
    assert not list(repo.path.rglob("pwned"))


def test_no_line_of_a_stranger_is_a_command_to_the_runner(repo: Repo, temp: Path) -> None:
    name = "::set-env name=LD_PRELOAD::x"
    base, head = pair(repo, {f"{name}/requirements.txt": "requests\n::error::no\n"})
    ran = act(repo, temp, base, head)
    assert ran.code in (1, 3)
    lines = ran.log.splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith("::stop-commands::")]
    mark = lines[start].removeprefix("::stop-commands::")
    assert len(mark) == 64
    end = lines.index(f"::{mark}::")
    hostile = [i for i, line in enumerate(lines) if "set-env" in line]
    assert hostile and all(start < i < end for i in hostile)


@pytest.mark.parametrize(
    ("extras", "only", "skip", "wanted"),
    [
        ("auto", "", "", "[model,audit]"),
        ("auto", "", "files regression", "[audit]"),
        ("auto", "", "data secrets", "[model]"),
        ("auto", "files\nlicenses", "", ""),
        ("auto", "regression", "", "[model]"),
        ("model,dvc", "", "regression", "[model,dvc]"),
        ("", "", "", ""),
        ("auto people", "", "", "[model,audit,app]"),
        ("auto people", "files", "", "[app]"),
        ("model people", "", "", "[model]"),
    ],
)
def test_what_is_installed(tmp_path: Path, extras: str, only: str, skip: str, wanted: str) -> None:
    extras, _, people = extras.partition(" ")
    # A Python that writes down what it is asked for, instead of asking an index.
    tools, log = tmp_path / "tools", tmp_path / "log"
    (tools / "environment" / "bin").mkdir(parents=True)
    script = f'#!/bin/sh\necho "$PWD|$*" >> {log}\n'
    fake = tools / "python"
    fake.write_text(
        script + f'[ "$3" != venv ] || {{ mkdir -p "$4/bin"; cp {fake} "$4/bin/python"; }}\n'
    )
    for path, text in ((fake, None), (tools / "bwrap", "#!/bin/sh\n")):
        if text is not None:
            path.write_text(text)
        path.chmod(0o755)
    output = tmp_path / "output"
    words = {
        "PATH": f"{tools}:{os.environ['PATH']}", "ACTION": str(ROOT), "PYTHON": str(fake),
        "INSTALLED": "", "EXTRAS": extras, "ONLY": only, "SKIP": skip,
        "PEOPLE": "true" if people else "false", "TORCH_INDEX": "https://example.org/cpu",
        "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", ROOT / ".github/action/install.sh"], env=words, cwd=ROOT, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    place = tmp_path / "modelwarden"
    assert output.read_text() == f"environment={place}/environment\n"
    lines = log.read_text().splitlines()
    assert all(line.startswith(f"{tmp_path}|-I -m ") for line in lines)  # never in the checkout
    assert lines[-1].endswith(f"--no-build-isolation {place}/source{wanted}")
    assert any("https://example.org/cpu torch" in line for line in lines) is ("model" in wanted)
    assert all("--constraint" in line for line in lines if " pip " in line)
    assert (place / "source" / "bot" / "cli.py").exists()
    assert not (place / "source" / "tests").exists()


def test_a_name_of_an_extra_is_no_option(tmp_path: Path) -> None:
    output = tmp_path / "output"
    words = {
        "PATH": os.environ["PATH"], "ACTION": str(ROOT), "PYTHON": "/bin/false", "INSTALLED": "",
        "EXTRAS": "x] --index-url evil", "ONLY": "files", "SKIP": "", "TORCH_INDEX": "",
        "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output),
    }  # fmt: skip
    script = ROOT / ".github/action/install.sh"
    done = subprocess.run(["bash", script], env=words, capture_output=True, text=True)
    assert (done.returncode, output.exists()) == (2, False)
    assert "input extras" in done.stdout


@pytest.mark.parametrize(
    ("code", "fail", "wanted"),
    [("0", "true", 0), ("1", "true", 1), ("3", "true", 3), ("1", "false", 0), ("3", "", 3),
     ("", "false", 3), ("x", "true", 3), ("0; true", "true", 3), ("1", "False", 1)],
)  # fmt: skip
def test_the_verdict_of_the_job(code: str, fail: str, wanted: int) -> None:
    words = {"PATH": os.environ["PATH"], "CODE": code, "FAIL": fail}
    script = ROOT / ".github/action/verdict.sh"
    done = subprocess.run(["bash", script], env=words, capture_output=True)
    assert done.returncode == wanted


def test_a_report_that_is_not_there_is_no_pass(repo: Repo, temp: Path, tmp_path: Path) -> None:
    base, head = pair(repo, GOOD)
    fake = tmp_path / "venv" / "bin"
    fake.mkdir(parents=True)
    (fake / "python").write_text("#!/bin/sh\nexit 0\n")
    (fake / "python").chmod(0o755)
    ran = act(repo, temp, base, head, modelwarden=str(fake.parent))
    assert (ran.code, ran.outputs["outcome"]) == (3, Outcome.ERROR.value)


def test_what_it_uploads_can_be_published(repo: Repo, temp: Path) -> None:
    base, head = pair(repo, BAD)
    ran = act(repo, temp, base, head)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for line in ran.used["actions/upload-artifact"]["path"].split():
            packed.write(line, Path(line).name)
    one = Run(99, 11, "example/tiny-llm", head, 22, "https://github.com/o/r/actions/runs/99")
    pull = Pull(
        Repository(11, "example/tiny-llm", 1), 7, "t", Account(3, "mallory"), "open", False, False,
        head, 22, base, "main",
    )  # fmt: skip
    made = publication(archive.getvalue(), one, [pull], catalog.rules())
    assert (made.pull.number, made.report.outcome) == (7, Outcome.FAIL)
    assert "dependencies/unpinned" in comment(made, catalog.rules())


def test_every_input_and_output_is_on_the_page() -> None:
    document = yaml.safe_load(ACTION.read_text())
    page = (ROOT / "docs" / "action.md").read_text()
    for name in (*document["inputs"], *document["outputs"]):
        assert f"`{name}`" in page, name
