from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot import catalog, policy, setup
from bot.errors import RepositoryError
from bot.policy import POLICY_PATH
from bot.setup import HOOKS_PATH, WORKFLOW_PATH
from registry.documents import load_yaml
from tests.gitrepo import Repo, environment


def contents(repo: Repo) -> dict[str, bytes]:
    files = (p for p in repo.path.rglob("*") if p.is_file() and ".git/" not in str(p))
    return {str(path.relative_to(repo.path)): path.read_bytes() for path in files}


def loaded(repo: Repo) -> policy.Policy:
    data = (repo.path / POLICY_PATH).read_bytes()
    return policy.load(data, POLICY_PATH, "test", catalog.CHECKS, catalog.rules())


def test_an_empty_repository_gets_the_defaults(repo: Repo) -> None:
    lines = list(setup.run(repo.path))
    assert lines[0] == "found an empty repository"
    assert loaded(repo).root.model_dump() == policy.default(catalog.CHECKS).root.model_dump()


def test_twice_changes_nothing(repo: Repo) -> None:
    repo.commit({"a.py": "1"})
    list(setup.run(repo.path))
    first = contents(repo)
    assert {POLICY_PATH, WORKFLOW_PATH, HOOKS_PATH} <= first.keys()
    assert [line for line in setup.run(repo.path) if line.startswith("wrote")] == []
    assert contents(repo) == first


def test_it_looks_at_what_is_there(repo: Repo) -> None:
    repo.commit(
        {
            "model/config.json": "{}",
            "model/model.safetensors": b"x",
            "eval/heldout.jsonl": '{"text": "the old bridge"}\n',
            "eval/odd.jsonl": '{"prompt": "a", "completion": "b"}\n',
            "dvc.yaml": "",
        },
        "not signed off",
    )
    lines = list(setup.run(repo.path))
    assert "found models: model" in lines
    assert "found evaluation suites: eval/heldout.jsonl" in lines
    odd = next(line for line in lines if line.startswith("left out"))
    assert odd.startswith("left out eval/odd.jsonl, no suite of items: ")
    used = loaded(repo)
    assert used.section("regression").model == "model"
    assert [s.path for s in used.section("regression").suite] == ["eval/heldout.jsonl"]
    assert used.section("contributors").dco == "off"
    assert "modelwarden[model,dvc,audit]==" in (repo.path / WORKFLOW_PATH).read_text()


@pytest.mark.parametrize(
    "key", ["dco", "pin", "review", "max_git_bytes", "limit", "trusted_actions"]
)
def test_a_key_is_set_by_uncommenting_its_line(repo: Repo, key: str) -> None:
    list(setup.run(repo.path))
    path = repo.path / POLICY_PATH
    text = path.read_text()
    assert text.count(f"\n  # {key}: ") == 1
    path.write_text(text.replace(f"\n  # {key}: ", f"\n  {key}: "))
    assert loaded(repo).root.model_dump() == policy.default(catalog.CHECKS).root.model_dump()


def test_any_names_of_suites_and_models_make_a_valid_policy(repo: Repo) -> None:
    names = ("eval/a/test", "eval/b/test", "eval/: x #y", 'eval/od"d\n', "eval/пример")
    repo.commit(
        {f"{name}.jsonl": '{"text": "the old bridge"}' for name in names}
        | {"my: 'model'/config.json": "{}", "my: 'model'/model.safetensors": b"x"}
    )
    list(setup.run(repo.path))
    regression = loaded(repo).section("regression")
    assert regression.model == "my: 'model'"
    assert len({suite.name for suite in regression.suite}) == len(names)


def test_uncommenting_a_default_is_valid(repo: Repo) -> None:
    list(setup.run(repo.path))
    text = (repo.path / POLICY_PATH).read_text()
    for check in catalog.CHECKS:
        for key in check.Settings.model_fields:
            if key != "enabled":
                assert f"  # {key}:" in text, f"{check.NAME}.{key}"


def test_the_workflow_is_valid_and_pinned(repo: Repo) -> None:
    repo.commit({"a": "1"})
    list(setup.run(repo.path))
    text = (repo.path / WORKFLOW_PATH).read_text()
    workflow = load_yaml(text.encode(), limit=100_000).value
    assert workflow["permissions"] == {"contents": "read"}
    for step in workflow["jobs"]["check"]["steps"]:
        if "uses" in step:
            assert len(step["uses"].split("@")[1]) == 40
        assert "${{" not in step.get("run", "")


def test_the_workflow_judges_a_change_from_outside_the_checkout(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"LICENSE": (Path(__file__).parents[2] / "LICENSE").read_bytes()})
    list(setup.run(repo.path))
    steps = yaml.safe_load((repo.path / WORKFLOW_PATH).read_text())["jobs"]["check"]["steps"]
    (judge,) = [s["run"] for s in steps if s.get("name") == "Judge the change"]
    head = repo.commit({"requirements.txt": "requests\n", "click.py": "raise SystemExit(9)\n"})
    (tmp_path / "warden").symlink_to(Path(sys.executable).parents[1])
    words = {"BASE": base, "HEAD": head, "RUNNER_TEMP": str(tmp_path),
             "GITHUB_WORKSPACE": str(repo.path), "PYTHONPATH": str(repo.path),
             "MODELWARDEN_INDEX": "http://127.0.0.1:9/simple"}  # fmt: skip
    done = subprocess.run(
        ["bash", "-e", "-c", judge], cwd=repo.path, env=environment() | words,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    names = {p.name for p in (tmp_path / "report").iterdir()}
    assert names == {"modelwarden.html", "modelwarden.sarif", "summary.md"}
    assert done.stdout.startswith("::stop-commands::")
    assert "dependencies/unpinned" in (tmp_path / "report/summary.md").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "repos:\n  - repo: local\n    hooks: []\n",
        "repos:\n- repo: local\n  hooks: []",
        "default_stages: [pre-commit]\nrepos:\n    - repo: local\n      hooks: []\n",
        "repos:\r\n  - repo: local\r\n    hooks: []\r\n",
        "# gr\xfc\xdfe\nrepos:\n  - repo: local\n    hooks: []\n",
    ],
)
def test_hooks_are_added_to_what_is_there(repo: Repo, text: str) -> None:
    repo.commit({HOOKS_PATH: text.encode("latin-1")})
    list(setup.run(repo.path))
    after = (repo.path / HOOKS_PATH).read_bytes()
    assert after.startswith(text.encode("latin-1"))
    assert (b"\r\n" in after) == ("\r\n" in text) and after.count(b"\r") in (0, after.count(b"\n"))
    repos = yaml.safe_load(after.decode("latin-1"))["repos"]
    assert [hook["id"] for hook in repos[-1]["hooks"]] == [
        "modelwarden-check",
        "modelwarden-sign-off",
    ]


def test_hooks_that_cannot_be_added_are_shown(repo: Repo) -> None:
    text = "repos:\n  - repo: local\n    hooks: []\nfail_fast: true\n"
    repo.commit({HOOKS_PATH: text})
    lines = list(setup.run(repo.path))
    assert any("add by hand" in line and "modelwarden-check" in line for line in lines)
    assert (repo.path / HOOKS_PATH).read_text() == text


def test_symlinks_are_not_followed(repo: Repo, tmp_path: Path) -> None:
    target = tmp_path / "outside"
    (repo.path / ".github").mkdir()
    (repo.path / POLICY_PATH).symlink_to(target)
    list(setup.run(repo.path))
    assert not target.exists()


@pytest.mark.parametrize("name", [".github", HOOKS_PATH])
def test_links_to_outside_are_left_alone(repo: Repo, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = outside / "file"
    target.write_text("repos:\n  - repo: local\n    hooks: []\n")
    (repo.path / name).symlink_to(outside if name == ".github" else target)
    assert any(line.startswith(("left out", "kept")) for line in setup.run(repo.path))
    assert list(outside.iterdir()) == [target]
    assert "modelwarden" not in target.read_text()


def test_the_hooks_judge_real_commits_once_and_deletions_too(repo: Repo, tmp_path: Path) -> None:
    tools = Path(sys.executable).parent
    if not (tools / "pre-commit").exists():
        pytest.skip("pre-commit is not installed")
    words = {"PATH": f"{tools}:{os.environ['PATH']}", "PRE_COMMIT_HOME": str(tmp_path / "home")}

    def commit(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "commit", *options], cwd=repo.path, env=environment() | words,
            capture_output=True, text=True,
        )  # fmt: skip

    repo.commit({"LICENSE": (Path(__file__).parents[2] / "LICENSE").read_bytes()})
    list(setup.run(repo.path))
    repo.commit({})
    install = ["pre-commit", "install", "-t", "pre-commit", "-t", "commit-msg"]
    subprocess.run([tools / install[0], *install[1:]], cwd=repo.path, env=environment() | words,
                   check=True, capture_output=True)  # fmt: skip
    repo.write({"a.py": "x = 1\n"})
    repo.git("add", "a.py")
    unsigned = commit("-m", "add a")
    assert unsigned.returncode == 1 and "contributors/sign-off" in unsigned.stderr
    signed = commit("-s", "-m", "add a")
    assert signed.returncode == 0
    assert signed.stderr.count("modelwarden check..") == 1
    repo.git("rm", "-q", "LICENSE")
    deletion = commit("-s", "-m", "delete the licence")
    assert deletion.returncode == 1 and "licenses/removed" in deletion.stderr


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    bare = Repo(tmp_path / "x")
    bare.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(RepositoryError, match="bare"):
        list(setup.run(tmp_path / "bare"))
