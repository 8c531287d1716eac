"""The command line over real repositories: what a user types, sees and gets as exit code."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest

from tests.bot.called import Here
from tests.gitrepo import Repo, environment

ROOT = Path(__file__).parents[2]
MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
MEMORY = 500_000_000  # bytes
SIGNED = "Signed-off-by: Ada <ada@example.org>"


def run(repo: Path, *words: str, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a repository, with at most `limit` bytes of data if given."""

    def bound() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    return subprocess.run(
        [MODELWARDEN, *words], cwd=repo, env=environment(), capture_output=True, text=True,
        preexec_fn=bound,
    )  # fmt: skip


def check(
    here: Here, repo: Repo, base: str, head: str, *words: str
) -> dict[str, dict[str, object]]:
    """Run a check; return its verdicts by name, and the exit code under "exit"."""
    done = here(repo.path, "check", "--base", base, "--head", head, "--format", "json", *words)
    assert "Traceback" not in done.stderr
    verdicts = {v["check"]: v for v in json.loads(done.stdout)["verdicts"]}
    return verdicts | {"exit": {"code": done.returncode}}


def found(verdict: dict[str, object]) -> list[str]:
    findings = verdict["findings"]
    assert isinstance(findings, list)
    return [finding["rule"] for finding in findings]


def test_a_clean_change_passes(here: Here, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n", "LICENSE": (ROOT / "LICENSE").read_bytes()})
    head = repo.commit({"src/a.py": "print(1)\n"})
    verdicts = check(here, repo, base, head)
    assert verdicts["exit"]["code"] == 0
    assert {v["outcome"] for k, v in verdicts.items() if k != "exit"} <= {"pass", "skip"}


def test_defaults_compare_head_with_main(repo: Repo) -> None:
    repo.commit({"a": "1"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit({"b": "1"}, "no sign-off")
    done = run(repo.path, "check")
    assert done.returncode == 1
    assert "contributors" in done.stdout and "Signed-off-by: Ada <ada@example.org>" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--base", "nope", "--head", "HEAD"], "unknown revision 'nope'"),
        (["--only", "wieghts"], "no check 'wieghts'"),
        (["--policy", "absent.yml"], "absent.yml: no such file"),
        (["--report", "x.doc"], "unknown suffix"),
        (["--staged", "--base", "HEAD"], "--staged compares the index with HEAD"),
        (["--plugin", "absent"], "no plugin 'absent'"),
        (["--repo", "/nowhere"], "/nowhere is not a folder"),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--output", "/nowhere/out.txt"], "/nowhere"),
    ],
)
def test_usage_errors(repo: Repo, here: Here, words: list[str], said: str) -> None:
    repo.commit({"a": "1"})
    done = here(repo.path, "check", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_not_a_repository(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not in a git repository" in done.stderr


def policy(repo: Repo, text: bytes) -> tuple[str, str]:
    base = repo.commit({".github/modelwarden.yml": text})
    return base, repo.commit({"a.txt": "a"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"contributers: {}\n", "did you mean 'contributors'?"),
        (b"version: 1\ncontributors:\n  doc: off\n", ".github/modelwarden.yml:3: unknown key"),
        (b"x: [\n", ".github/modelwarden.yml:2"),
        (b"#" * 50_000_000, "50,000,000 bytes"),
        (b"a: &a [x]\nb: [*a, *a]\n", "aliases are not accepted"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_unreadable_policies(repo: Repo, here: Here, text: bytes, said: str) -> None:
    base, head = policy(repo, text)
    words = ("check", "--base", base, "--head", head)
    bomb = b"*" in text or len(text) > 1000
    done = run(repo.path, *words, limit=MEMORY) if bomb else here(repo.path, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_the_policy_is_read_at_the_base(here: Here, repo: Repo) -> None:
    base = repo.commit({".github/modelwarden.yml": "contributors: {dco: off}\n"})
    head = repo.commit({".github/modelwarden.yml": "contributors: {dco: required}\n"}, "no")
    verdicts = check(here, repo, base, head, "--only", "contributors")
    assert verdicts["contributors"]["outcome"] == "pass"
    assert found(verdicts["policy"]) == ["policy/edited"]


def test_a_given_policy_wins(here: Here, repo: Repo, tmp_path: Path) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"}, "unsigned")
    own = tmp_path / "own.yml"
    own.write_text("contributors: {dco: off}\n")
    assert check(here, repo, base, head, "--policy", str(own))["contributors"]["outcome"] == "pass"
    assert check(here, repo, base, head)["contributors"]["outcome"] == "fail"


def test_an_empty_tree_and_the_first_commit(here: Here, repo: Repo) -> None:
    empty = repo.commit({})
    assert check(here, repo, empty, empty)["exit"]["code"] == 0
    nothing = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    first = repo.commit({"a.txt": "1"})
    assert check(here, repo, nothing, first)["exit"]["code"] == 0


def test_odd_repositories(here: Here, repo: Repo) -> None:
    base = repo.commit({"a.txt": "1"})
    blob = repo.blob(b"content")
    pointer = repo.blob(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n"
    )
    tree = repo.tree(
        ("100644", "bad\udcff", blob),
        ("100644", "data.csv", pointer),
        ("120000", "link", repo.blob(b"data.csv")),
        ("160000", "module", "1" * 40),
    )
    verdicts = check(here, repo, base, repo.commit_tree(tree, base))
    assert found(verdicts["files"]) == ["files/submodule", "files/odd-name"]
    assert verdicts["exit"]["code"] in (0, 1)


def test_a_commit_message_of_ten_megabytes(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"a": "2"}, "subject\n\n" + "x" * 10_000_000)
    done = run(repo.path, "check", "--base", base, "--head", head, limit=MEMORY)
    assert done.returncode == 3
    assert len(done.stdout) < 20_000


def test_a_lock_file_of_200_megabytes(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"uv.lock": b"#\n" * 100_000_000})
    done = run(repo.path, "check", "--base", base, "--head", head, limit=MEMORY)
    assert done.returncode == 3
    assert "200,000,000 bytes" in done.stdout


def test_a_safetensors_header_of_two_to_the_sixty(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"model.safetensors": (1 << 60).to_bytes(8, "little") + b"{}"})
    done = run(repo.path, "check", "--base", base, "--head", head, limit=MEMORY)
    assert done.returncode == 1
    assert "weights/safetensors-invalid" in done.stdout


def test_fifty_thousand_changed_files(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    blob = repo.blob(b"text\n")
    listing = "".join(f"100644 blob {blob}\tfile{n:05}.txt\n" for n in range(50_000))
    tree = repo.git("mktree", stdin=listing.encode())
    head = repo.commit_tree(tree, base)
    done = run(repo.path, "check", "--base", base, "--head", head, limit=MEMORY)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stdout[-2000:]


def test_every_format_is_deterministic_and_written_whole(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"requirements.txt": "torch\n", "model.bin": b"\x80\x04N."}, "unsigned")
    names = [f"report{suffix}" for suffix in (".html", ".json", ".sarif", ".md", ".txt")]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        words = [w for name in names for w in ("--report", str(tmp_path / folder / name))]
        done = run(repo.path, "check", "--base", base, "--head", head, *words)
        assert done.returncode in (1, 3), done.stderr
    for name in names:
        texts = {(tmp_path / folder / name).read_bytes() for folder in ("one", "two")}
        assert len(texts) == 1 and texts != {b""}
    sarif = json.loads((tmp_path / "one" / "report.sarif").read_text())
    schema = json.loads((ROOT / "tests/data/sarif/sarif-2.1.0.json").read_text())
    jsonschema.validate(sarif, schema)
    report = json.loads((tmp_path / "one" / "report.json").read_text())
    jsonschema.validate(report, json.loads((ROOT / "docs/report.schema.json").read_text()))
    assert not [p for p in (tmp_path / "one").iterdir() if p.name.startswith(".")]


def test_staged_content_and_messages(here: Here, repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    repo.write({"model.bin": b"\x80\x04N."})
    repo.git("add", "-A")
    done = here(repo.path, "check", "--staged", "--skip", "regression")
    assert done.returncode == 1 and "weights/pickle" in done.stdout
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text("subject\n\n# a comment\n")
    assert here(repo.path, "check", "--message", str(message)).returncode == 1
    message.write_text("subject\n\nSigned-off-by: Ada <ada@example.org>\n# a comment\n")
    assert here(repo.path, "check", "--message", str(message)).returncode == 0


@pytest.mark.parametrize(
    ("policy", "message", "code"),
    [
        ("", "subject\n", 1),
        ("contributors: {dco: off}\n", "subject\n", 0),
        ("contributors: {enabled: false}\n", "subject\n", 0),
        ("levels: {contributors/sign-off: warning}\n", "subject\n", 0),
        ("", f"subject\n\nCo-authored-by: B <b@c.example>\n{SIGNED}\n", 1),
        (
            "contributors: {co_authors: false}\n",
            f"s\n\nCo-authored-by: B <b@c.example>\n{SIGNED}\n",
            0,
        ),
    ],
)
def test_a_message_is_judged_by_the_policy(
    repo: Repo, here: Here, tmp_path: Path, policy: str, message: str, code: int
) -> None:
    repo.commit({".github/modelwarden.yml": f"version: 1\n{policy}"})
    path = tmp_path / "COMMIT_EDITMSG"
    path.write_text(message)
    done = here(repo.path, "check", "--message", str(path))
    assert done.returncode == code, done.stderr
    assert ("contributors/" in done.stderr) is (code == 1 or "levels" in policy)


def test_a_second_run_uses_the_cache_and_agrees(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"requirements.txt": "torch\n"})
    words = ("check", "--base", base, "--head", head, "--format", "json")
    first, second = run(repo.path, *words), run(repo.path, *words)
    assert first.stdout == second.stdout == run(repo.path, *words, "--no-cache").stdout


def test_interrupting_leaves_nothing(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"a": "1"})
    blob = repo.blob(b"text\n")
    listing = "".join(f"100644 blob {blob}\tfile{n:05}.py\n" for n in range(100_000))
    head = repo.commit_tree(repo.git("mktree", stdin=listing.encode()), base)
    private = tmp_path / "tmp"
    private.mkdir()
    process = subprocess.Popen(
        [MODELWARDEN, "check", "--base", base, "--head", head, "--no-cache"], cwd=repo.path,
        env=environment() | {"TMPDIR": str(private)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode in (130, 0, 1, 3)
    assert b"Traceback" not in errors
    assert list(private.iterdir()) == []
    until = time.monotonic() + 10  # git sees that nobody asks any more when it is its turn
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(process.pid, 0)
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rules"], "weights/pickle"),
        (["rules", "weights/pickle"], "Remedy"),
        (["rules", "--format", "json"], '"id": "weights/pickle"'),
        (["--help"], "One verdict on every change"),
        (["check", "--help"], "Examples:"),
        (["--version"], "0.1.0"),
    ],
)
def test_help_and_rules(tmp_path: Path, here: Here, words: Sequence[str], said: str) -> None:
    done = here(tmp_path, *words)
    assert done.returncode == 0
    assert said in done.stdout


def test_an_unknown_rule_is_helped(tmp_path: Path) -> None:
    done = run(tmp_path, "rules", "weights/pickel")
    assert done.returncode == 2
    assert "did you mean 'weights/pickle'?" in done.stderr


def test_a_checkouts_own_packages_are_never_imported(repo: Repo) -> None:
    evil = "open('ran', 'w').write('x')\nraise SystemExit('evil')\n"
    names = ("bot", "lab", "registry", "security")
    repo.commit({f"{name}/__init__.py": evil for name in names} | {"sitecustomize.py": evil})
    repo.commit({"a": "2"})
    done = run(repo.path, "check", "--base", "HEAD~1", "--head", "HEAD")
    assert done.returncode == 0, done.stderr
    assert not (repo.path / "ran").exists()
