"""What the gate of a release is told of a merge: approvals of the very head, runs that passed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from bot.github import answers, given, merged
from bot.github.errors import Foreign, GitHubError, Refused, Unavailable
from bot.github.merged import Checked, Merged
from bot.github.merged import merged as facts_of
from bot.github.repository import Repository
from bot.people import Account
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.pull import Pull
from tests.githubfake.repository import Repository as Fake

TOKEN = "ghs_" + "7Hq2" * 9
RIGHTS = {"contents": "read", "metadata": "read", "pull_requests": "read", "checks": "read"}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as fake:
        yield fake
        assert not fake.violations


@pytest.fixture
def home(fake: FakeGitHub) -> Fake:
    made = fake.repository("acme/tiny")
    fake.tokens[TOKEN] = Token(
        TOKEN, fake.user(given.ACTIONS, "Bot"), float("inf"), fake.installation(made),
        dict(RIGHTS), (made.id,),
    )  # fmt: skip
    for login, role in (("ann", "write"), ("bob", "maintain"), ("cleo", "read")):
        made.grant(login, role)
    return made


@pytest.fixture
def at(fake: FakeGitHub, home: Fake) -> Iterator[Repository]:
    made = given.repository(fake.url, TOKEN, "acme/tiny")
    yield made
    assert isinstance(made.line, given.Given)
    made.line.connection.close()


@pytest.fixture
def pull(home: Fake) -> Pull:
    made = home.pull("mallory", "small", {"a.py": "1\n"}, title="Release small 1.2.0")
    made.labels.append("release")
    return made


def approvers(at: Repository, commit: str) -> list[str]:
    found = facts_of(at, commit)
    assert found is not None
    return [one.account.login for one in found.approvers]


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_merge_is_known_with_its_reviews_and_checks(
    home: Fake, at: Repository, pull: Pull, method: str
) -> None:
    home.foreign_run("tests", pull.head)
    pull.review("ann")
    commit = pull.merge("bob", method)
    home.foreign_run("build", commit, "failure")
    found = facts_of(at, commit)
    assert found is not None
    assert (found.number, found.head, found.base) == (pull.number, pull.head, "main")
    assert (found.merged_by.login, found.author.login) == ("bob", "mallory")
    assert found.labels == ("release",) and found.merged_at
    assert [(r.account.login, r.role.name) for r in found.approvers] == [("ann", "WRITE")]
    assert found.conclusion("tests") == "success" and found.conclusion("build") == "failure"
    assert found.conclusion("tests", 7) == "success" and found.conclusion("tests", 8) == ""
    assert found.conclusion("absent") == ""


def test_only_the_last_word_of_writers_on_the_head_counts(
    home: Fake, at: Repository, pull: Pull, fake: FakeGitHub
) -> None:
    old = pull.head
    pull.push({"b.py": "2\n"})
    for login, state, commit in (
        ("ann", "APPROVED", ""), ("ann", "COMMENTED", ""),  # a comment takes nothing back
        ("bob", "APPROVED", old),  # of another head
        ("cleo", "APPROVED", ""),  # who may only read
        ("stranger", "APPROVED", ""), ("mallory", "APPROVED", ""),
        ("eve", "APPROVED", ""), ("eve", "CHANGES_REQUESTED", ""),
        ("finn", "APPROVED", ""), ("finn", "DISMISSED", ""),
        ("gus", "CHANGES_REQUESTED", ""), ("gus", "APPROVED", ""),
        ("helper[bot]", "APPROVED", ""),
    ):  # fmt: skip
        if login not in ("cleo", "stranger"):
            home.grant(login, home.roles.get(login, "admin"))
        if login.endswith("[bot]"):
            fake.users[login].kind = "Bot"
        pull.review(login, state, commit)
    ghost = pull.review("gone")
    pull.reviews[-1] = merged_ghost(ghost)
    assert approvers(at, pull.merge("bob")) == ["ann", "gus"]


def merged_ghost(review: Any) -> Any:
    """A review whose account was deleted."""
    from dataclasses import replace

    return replace(review, user=None)


def test_what_no_pull_request_made_has_no_facts(home: Fake, at: Repository, pull: Pull) -> None:
    head = pull.head
    assert facts_of(at, home.commit({"c": "pushed"})) is None
    assert facts_of(at, head) is None  # open
    made = pull.merge("bob")
    assert facts_of(at, head) is None  # its head is not what was merged
    assert facts_of(at, home.commit({"d": "after"})) is None
    assert facts_of(at, made) is not None
    home.bare.point("refs/heads/side", made)
    aside = home.pull("mallory", "other", {"e.py": "1\n"}, base="side")
    assert facts_of(at, aside.merge("bob")) is None  # into another branch


def test_a_commit_that_two_claim_cannot_be_told(home: Fake, at: Repository, pull: Pull) -> None:
    other = home.pull("mallory", "other", {"e.py": "1\n"})
    commit = pull.merge("bob")
    other.close()
    other.merged_at, other.merge_sha = pull.merged_at, commit
    with pytest.raises(Foreign, match="the merge of several pull requests"):
        facts_of(at, commit)


@pytest.mark.parametrize("commit", ["main", "a" * 39, "a" * 12, "../pulls", "", "A" * 40])
def test_only_full_commits_are_asked_for(fake: FakeGitHub, at: Repository, commit: str) -> None:
    asked = len(fake.requests)
    with pytest.raises(Refused, match="no full commit id"):
        facts_of(at, commit)
    assert len(fake.requests) == asked


HEAD, COMMIT = "a" * 40, "c" * 40


def facts(*checks: tuple[str, str, str]) -> Merged:
    who = Account(1, "ann")
    runs = tuple(Checked(name, 7, said, on) for name, said, on in checks)
    return Merged(COMMIT, 1, "", who, HEAD, "main", who, "", (), (), runs)


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ((), ""),
        ((("x", "success", HEAD),), "success"),
        ((("x", "success", HEAD), ("x", "failure", COMMIT)), "failure"),
        ((("x", "failure", HEAD), ("x", "success", COMMIT)), "success"),
        ((("x", "success", HEAD), ("x", "failure", HEAD)), "failure"),
        ((("x", "success", COMMIT), ("x", "pending", COMMIT)), "pending"),
        ((("x", "success", HEAD), ("x", "skipped", HEAD)), "skipped"),
        ((("x", "success", HEAD), ("x", "neutral", HEAD)), "neutral"),
        ((("x", "success", HEAD), ("x", "something new", HEAD)), "something new"),
        ((("y", "success", HEAD),), ""),
    ],
)
def test_the_worst_run_of_a_name_counts(checks: Any, said: str) -> None:
    assert facts(*checks).conclusion("x") == said


def test_a_run_that_has_not_ended_is_pending(home: Fake, at: Repository, pull: Pull) -> None:
    commit = pull.merge("bob")
    run = home.foreign_run("tests", commit)
    run.status, run.conclusion = "in_progress", None
    found = facts_of(at, commit)
    assert found is not None and found.conclusion("tests") == "pending"


def test_more_reviews_than_are_read_is_no_answer(
    home: Fake, at: Repository, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(101):
        pull.review(f"u{n}", "COMMENTED")
    pull.review("ann")
    commit = pull.merge("bob")
    assert approvers(at, commit) == ["ann"]
    monkeypatch.setattr(merged, "PAGES", 1)
    with pytest.raises(GitHubError, match="more than 1 pages"):
        facts_of(at, commit)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (merged.Whole, {"merged": "yes"}), (merged.Whole, {"merged": None}),
        (merged.Whole, {"head": None}), (merged.Whole, {"labels": [{"id": 1}]}),
        (merged.Whole, {"merge_commit_sha": "main"}), (merged.Whole, {"number": "1"}),
        (merged.Review, {"state": None}), (merged.Review, {"commit_id": "x"}),
        (merged.Review, {"id": 0}), (merged.Review, {"user": "ann"}),
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_no_answer(kind: Any, change: dict[str, Any]) -> None:
    side = {"sha": HEAD, "ref": "main"}
    whole: dict[str, Any] = {"number": 1, "title": "", "merged": True, "head": side, "base": side,
                             "labels": [], "id": 1, "state": "APPROVED"}  # fmt: skip
    answers.read(json.dumps(whole), kind)
    with pytest.raises(Unavailable):
        answers.read(json.dumps(whole | change), kind)
