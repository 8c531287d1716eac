"""`modelwarden contributors` over real repositories."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import git, people
from bot.cli import cli
from bot.errors import BotError, RepositoryError, TooLarge
from bot.history import _date
from bot.people import Account, ClaSignature, CommitAccount, People
from tests.gitrepo import Repo

SIGNED = "T\n\nSigned-off-by: Ada <ada@example.org>"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture
def ledger(repo: Repo, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def run(*words: str) -> dict[str, Any]:
        words = ("contributors", "--repo", str(repo.path), "--format", "json", *words)
        assert cli.main(words, standalone_mode=False) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


Ledger = Callable[..., dict[str, Any]]


def by_bo(repo: Repo, name: str, text: str) -> str:
    repo.write({name: text})
    repo.git("add", "-A")
    who = "Bo <bo@example.org>"
    repo.git("commit", "-q", "-m", "Bo's", "--author", who)
    return repo.git("rev-parse", "HEAD")


def test_a_history_and_a_range(repo: Repo, ledger: Ledger) -> None:
    base = repo.commit({"a": "1\n2\n"}, SIGNED)
    by_bo(repo, "b", "1\n2\n3\n")
    repo.commit({"a": "2\n"}, SIGNED)
    whole = ledger()
    shown = [(p["name"], p["commits"], p["added"], p["removed"]) for p in whole["people"]]
    assert shown == [("Ada", 2, 2, 1), ("Bo", 1, 3, 0)]
    assert [p["newcomer"] for p in whole["people"]] == [None, None]
    part = ledger("--base", base)
    assert [(p["name"], p["newcomer"]) for p in part["people"]] == [("Bo", True), ("Ada", False)]
    assert (part["base"], part["commits"]) == (base, 2)
    assert ledger("--base", "HEAD")["people"] == []


def test_merges_and_root_commits(repo: Repo, ledger: Ledger) -> None:
    repo.commit({"a": "1\n"}, SIGNED)
    repo.git("checkout", "-q", "-b", "side")
    by_bo(repo, "b", "1\n")
    repo.git("checkout", "-q", "main")
    repo.commit({"c": "1\n"}, SIGNED)
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    # Whatever the user's configuration makes of `git log`.
    for key, value in (
        ("log.diffMerges", "first-parent"), ("log.showRoot", "false"), ("diff.renames", "copies"),
        ("log.mailmap", "true"), ("log.decorate", "full"), ("color.ui", "always"),
        ("diff.noprefix", "true"), ("diff.external", "false"), ("log.showSignature", "true"),
    ):  # fmt: skip
        repo.git("config", key, value)
    whole = ledger()
    assert (whole["commits"], whole["merges"], whole["added"]) == (3, 1, 3)
    assert [(p["name"], p["commits"], p["merges"]) for p in whole["people"]] == [
        ("Ada", 2, 1), ("Bo", 1, 0),
    ]  # fmt: skip


def test_a_rename_is_told_as_git_objects_have_it(repo: Repo, ledger: Ledger) -> None:
    repo.commit({"folder/a": "1\n2\n3\n"}, SIGNED)
    repo.git("mv", "folder/a", "b")
    repo.commit({"folder/c": "1\n"}, SIGNED)
    repo.git("config", "diff.renames", "copies")
    repo.git("config", "diff.relative", "true")
    whole = ledger("--repo", str(repo.path / "folder"))
    assert (whole["added"], whole["removed"]) == (7, 3)


def test_a_late_sign_off_is_seen_first_whatever_the_dates(repo: Repo, ledger: Ledger) -> None:
    policy = "version: 1\ncontributors:\n  remediation: individual\n"
    repo.commit({".github/modelwarden.yml": policy}, SIGNED)
    tree, root = repo.git("write-tree"), repo.git("rev-parse", "HEAD")

    def made(message: str, year: int, *parents: str) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        date = {"GIT_COMMITTER_DATE": f"{year}-01-01T00:00:00Z"}
        return repo.git("commit-tree", tree, *words, "-m", message, **date)  # type: ignore[arg-type]

    target = made("T", 2030, root)
    line = f"I, Ada <ada@example.org>, hereby add my Signed-off-by to this commit: {target}"
    late = made(f"R\n\n{line}\n\nSigned-off-by: Ada <ada@example.org>", 2000, target)
    head = made("Merge", 2031, late, made(SIGNED, 2025, target))
    (one,) = ledger("--head", head)["people"]
    assert (one["commits"], one["signed_off"], one["merges"]) == (4, 4, 1)


def test_a_mailmap_moves_nothing(repo: Repo, ledger: Ledger) -> None:
    repo.commit({".mailmap": "Eve <eve@example.org> <ada@example.org>\n"}, SIGNED)
    repo.git("config", "log.mailmap", "true")
    assert [p["address"] for p in ledger()["people"]] == ["ada@example.org"]


def test_hostile_names_of_files_and_people(repo: Repo, ledger: Ledger) -> None:
    blob = repo.blob(b"1\n2\n")
    tree = repo.tree(
        ("100644", "a\n9\t9\tx", blob),
        ("100644", "b\n" + "f" * 40 + " 1", blob),
        ("100644", "c\udcff", blob),
    )
    head = repo.commit_tree(tree)
    assert ledger("--head", head)["added"] == 6
    odd = (
        f"tree {tree}\nauthor \x1b[31m=cmd()\u202e <e\x07@x> 99999999999999 +0000\n"
        "committer x <x> 0 +0000\n\nT\0\nSigned-off-by: x <e@x>\n"
    )
    head = repo.git(
        "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=odd.encode()
    )
    (one,) = ledger("--head", head)["people"]
    assert one["name"] == "\\x1b[31m=cmd()\\u202e"
    assert (one["first"], one["signed_off"]) == ("", 0)


def test_no_lines_needs_no_files(repo: Repo, ledger: Ledger, tmp_path: Path) -> None:
    repo.commit({"a": "1\n"}, SIGNED)
    repo.commit({"a": "2\n"}, SIGNED)
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{repo.path}", str(clone))
    found = ledger("--repo", str(clone), "--no-lines")
    assert (found["commits"], found["added"], found["lines"]) == (2, 0, False)
    with pytest.raises(BotError) as caught:
        ledger("--repo", str(clone))
    assert caught.value.hint


def test_a_shallow_clone_is_refused(repo: Repo, ledger: Ledger, tmp_path: Path) -> None:
    repo.commit({"a": "1\n"}, SIGNED)
    repo.commit({"a": "2\n"}, SIGNED)
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(clone))
    with pytest.raises(RepositoryError, match="shallow") as caught:
        ledger("--repo", str(clone))
    assert "--unshallow" in caught.value.hint


def test_agreements_of_the_policy_and_of_files(repo: Repo, ledger: Ledger, tmp_path: Path) -> None:
    text = "I agree.\n"
    version = hashlib.sha256(text.encode()).hexdigest()
    policy = "version: 1\ncontributors:\n  cla: {document: CLA.md, required: true}\n"
    repo.commit({"CLA.md": text, ".github/modelwarden.yml": policy}, SIGNED)
    head = by_bo(repo, "b", "1\n")
    ada, bo = Account(5, "ada"), Account(6, "bo")
    file = tmp_path / "people.json"
    first = repo.git("rev-parse", "HEAD^")
    told = (CommitAccount(first, ada, ada, True), CommitAccount(head, bo, bo, False))
    file.write_bytes(people.dump(People(bo, told)))
    signatures = tmp_path / "cla.jsonl"
    signed = ClaSignature(6, "bo", version, 9, "octo/tiny", "2026-01-02T03:04:05Z")
    signatures.write_bytes(people.dump_signatures((signed,)))
    found = ledger("--people", str(file), "--cla", str(signatures))
    assert found["document"] == version
    assert {p["login"]: (p["cla"], p["cla_counts"], p["verified"]) for p in found["people"]} == {
        "ada": ([], False, 1),
        "bo": ([version], True, 0),
    }


def test_csv_to_a_file_and_a_table(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.commit({"a": "1\n"}, SIGNED)
    by_bo(repo, "b", "1\n")
    target = tmp_path / "out.csv"
    words = ["contributors", "--repo", str(repo.path)]
    assert (
        cli.main([*words, "--format", "csv", "--output", str(target)], standalone_mode=False) == 0
    )
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [(r["name"], r["signed_off"], r["first_commit"]) for r in rows] == [
        ("Ada", "1", "2026-01-02"), ("Bo", "0", "2026-01-02"),
    ]  # fmt: skip
    assert cli.main(words, standalone_mode=False) == 0
    out = capsys.readouterr().out
    assert "2 people, 2 commits, 2 lines added, 0 removed" in out
    assert "Bo <bo@example.org>" in out


@pytest.mark.parametrize(
    ("seconds", "date"),
    [
        ("0", "1970-01-01"),
        ("1767323045", "2026-01-02"),
        ("253402300799", "9999-12-31"),
        ("253402300800", ""),
        ("-1", ""),
        ("", ""),
        ("\u0661", ""),
        ("9" * 5_000, ""),
    ],
)
def test_dates(seconds: str, date: str) -> None:
    assert _date(seconds) == date


def test_lines_of_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit({"a": "1\n"}, SIGNED)
    found = git.lines(repo.path, "log", "--format=%an")
    assert list(found) == [b"Ada\n"]
    with pytest.raises(RepositoryError, match="bad revision"):
        list(git.lines(repo.path, "log", "nowhere", "--"))
    early = git.lines(repo.path, "log")
    next(early)
    early.close()
    monkeypatch.setattr(git, "CHUNK", 3)
    with pytest.raises(TooLarge):
        list(git.lines(repo.path, "log", "--format=%H"))
