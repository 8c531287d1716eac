from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.releasing.ledger.descent import ancestors, tip
from tests.bot.releasing.clones import BRANCH, Shared, book, claim, git
from tests.gitrepo import Repo


def test_the_remote_counts_and_a_forks_branch_does_not(tmp_path: Path) -> None:
    shared = Shared(tmp_path)
    alice, bob = shared.clone("alice"), shared.clone("bob")
    assert tip(bob.path, BRANCH, "origin") == ""
    claim(book(alice), "1.0.0", shared.commit)
    there = shared.refs()[f"refs/heads/{BRANCH}"]
    bob.git("fetch", "-q", "origin")
    assert tip(bob.path, BRANCH, "origin") == there
    # Somebody's pull request, checked out, comes as a branch of that name.
    fork = bob.commit({"log.jsonl": "evil"})
    bob.git("update-ref", f"refs/heads/{BRANCH}", fork)
    bob.git("remote", "add", "fork", str(bob.path))
    bob.git("update-ref", f"refs/remotes/fork/{BRANCH}", fork)
    bob.git("tag", BRANCH, fork)
    assert tip(bob.path, BRANCH, "origin") == there
    # Without what the remote has, its own branch is not believed either.
    bob.git("update-ref", "-d", f"refs/remotes/origin/{BRANCH}")
    assert tip(bob.path, BRANCH, "origin") == ""
    # Where the policy names no remote, or there is none, the branch here is the ledger.
    assert tip(bob.path, BRANCH, "") == fork
    bob.git("remote", "remove", "origin")
    assert tip(bob.path, BRANCH, "origin") == fork


@pytest.mark.parametrize("branch", ["", "-x", "a b", "a:b", "x" * 200, "a^{tree}", "../main"])
def test_odd_names_name_nothing(repo: Repo, branch: str) -> None:
    repo.commit({"a": "1"})
    assert tip(repo.path, branch, "") == ""


def test_what_is_no_commit_is_no_ledger(repo: Repo) -> None:
    repo.commit({"a": "1"})
    blob = repo.git("rev-parse", "HEAD:a")
    (repo.path / ".git/refs/heads/odd").write_text(blob + "\n")
    assert tip(repo.path, "odd", "") == ""


def test_ancestors_are_those_of_git(repo: Repo) -> None:
    chance = random.Random(7)
    commits = [repo.commit({"a": "0"})]
    for n in range(30):
        parents = chance.sample(commits, min(len(commits), chance.choice((1, 1, 2))))
        words = [word for parent in parents for word in ("-p", parent)]
        tree = git(repo.path, "rev-parse", "HEAD^{tree}")
        commits.append(git(repo.path, "commit-tree", tree, *words, "-m", str(n)))
    asked = (*commits, "0" * 40)
    for commit in chance.sample(commits, 8):
        inside = set(git(repo.path, "rev-list", commit).split())
        assert ancestors(repo.path, asked, commit) == inside & set(commits)
    assert ancestors(repo.path, (), commits[0]) == frozenset()
