from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import git, revisions
from bot.errors import Missing, TooLarge
from bot.repository import GitWorld
from tests.fakes import HEAD, FakeWorld
from tests.gitrepo import Repo


def _releases(repo: Repo, commit: str, limit: int = 10) -> tuple[tuple[str, str], ...]:
    with GitWorld(repo.path) as world:
        return world.releases(commit, limit)


def test_versions_in_the_history_by_number_not_by_date_or_letter(repo: Repo) -> None:
    commits = [repo.commit({"a": str(i)}) for i in range(5)]
    for tag, commit in zip(
        ("v1.10.0", "v1.2", "2.0.0", "v2.0.0-rc1", "v1.9"), commits, strict=True
    ):
        repo.git("tag", tag, commit)
    names = [name for name, _ in _releases(repo, commits[4])]
    assert names == ["v1.2", "v1.9", "v1.10.0", "v2.0.0-rc1", "2.0.0"]
    assert _releases(repo, commits[4], 2) == (("v2.0.0-rc1", commits[3]), ("2.0.0", commits[2]))
    assert _releases(repo, commits[4], 0) == ()
    assert _releases(repo, commits[1]) == (("v1.2", commits[1]), ("v1.10.0", commits[0]))


def test_only_versions_of_this_history(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit({"a": "side"})
    repo.git("checkout", "-q", "main")
    head = repo.commit({"a": "2"})
    for tag in ("latest", "20260102", "v", "model/v1.0", "v1.0-nightly", "-v1.0", "v1.0\u00e9"):
        repo.git("update-ref", f"refs/tags/{tag}", first)
    repo.git("tag", "v1.0", first)
    repo.git("tag", "v1.1", side)
    repo.git("tag", "v1.2", head)
    assert _releases(repo, head) == (("v1.0", first), ("v1.2", head))
    assert _releases(repo, first) == (("v1.0", first),)


def test_annotated_tags_and_tags_of_tags_give_their_commit(repo: Repo) -> None:
    first = repo.commit({"a": "1"})
    head = repo.commit({"a": "2"})
    repo.git("tag", "-a", "-m", "x", "v1.0", first)
    repo.git("tag", "-a", "-m", "x", "signed", head)
    repo.git("tag", "-a", "-m", "x", "v1.1", "signed")
    repo.git("tag", "-a", "-m", "a tree", "v1.2", f"{head}^{{tree}}")
    repo.git("tag", "v1.3", repo.blob(b"no commit"))
    assert _releases(repo, head) == (("v1.0", first), ("v1.1", head))


def test_of_several_tags_on_one_commit_the_newest_version_counts(repo: Repo) -> None:
    head = repo.commit({"a": "1"})
    for tag in ("v1.0.0-rc2", "v1.0.0", "v1"):
        repo.git("tag", tag, head)
    assert [name for name, _ in _releases(repo, head)] == ["v1.0.0"]


def test_a_tree_has_none_and_a_missing_commit_is_named(repo: Repo) -> None:
    head = repo.commit({"a": "1"})
    repo.git("tag", "v1.0", head)
    assert _releases(repo, repo.git("rev-parse", f"{head}^{{tree}}")) == ()
    with pytest.raises(Missing):
        _releases(repo, "1" * 40)


def test_a_broken_tag_is_passed_over(repo: Repo) -> None:
    head = repo.commit({"a": "1"})
    repo.git("tag", "v1.0", head)
    (repo.path / ".git" / "refs" / "tags" / "v2.0").write_text("1" * 40 + "\n")
    (repo.path / ".git" / "refs" / "tags" / "v3.0").write_text("not an id\n")
    assert _releases(repo, head) == (("v1.0", head),)


def _pack(repo: Repo, names: list[str], commit: str) -> None:
    lines = "".join(f"{commit} refs/tags/{name}\n" for name in sorted(names))
    header = "# pack-refs with: peeled fully-peeled sorted \n"
    Path(repo.path / ".git" / "packed-refs").write_text(header + lines)


def test_thousands_of_tags_cost_one_git_call_and_only_the_latest_are_looked_at(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = repo.commit({"a": "1"})
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-02-02T03:04:05Z")
    head = repo.git(
        "commit-tree", "-p", first, "-m", "later", f"{first}^{{tree}}",
        GIT_COMMITTER_DATE="2026-02-02T03:04:05Z",
    )  # fmt: skip
    _pack(repo, [f"v9.{i}" for i in range(6_000)], first)
    repo.git("tag", "v1.0", head)
    monkeypatch.setattr(revisions, "MAX_TAGS", 3)
    with GitWorld(repo.path) as world:
        calls: list[str] = []
        real = git.run

        def counted(folder: Path, *words: str, **options: Any) -> tuple[int, bytes, str]:
            calls.append(words[0])
            return real(folder, *words, **options)

        monkeypatch.setattr(git, "run", counted)
        found = world.releases(head, 10)
    assert calls == ["for-each-ref"]
    assert ("v1.0", head) in found
    assert len(found) == 2


def test_names_without_end_are_refused(repo: Repo) -> None:
    head = repo.commit({"a": "1"})
    _pack(repo, [f"v{i}.{'9' * 4_000_000}" for i in range(2)], head)
    with pytest.raises(TooLarge):
        _releases(repo, head)


def test_the_fake_answers_alike() -> None:
    world = FakeWorld({}, {}, releases={"v1.0": {"m.json": "{}"}, "v1.1": {}})
    ((tag, commit),) = world.releases(HEAD, 1)
    assert tag == "v1.1"
    assert world.entry(commit, "m.json") is None
    old = world.releases(HEAD, 2)[0][1]
    entry = world.entry(old, "m.json")
    assert entry is not None
    assert world.read(entry.blob) == b"{}"
