"""What the fake GitHub never says: answers that are odd, endless or broken off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.github import answers, protection
from bot.github.errors import Denied, GitHubError, Refused, Unavailable
from bot.github.repository import Repository
from bot.github.transport import Reply
from bot.github.values import Identity, Repo, Required, Role
from bot.people import Account

A, B = "a" * 40, "b" * 40
STAMP = "2026-01-02T03:04:05Z"
ANN = {"id": 5, "login": "ann", "type": "User"}
MORE = {"link": '<https://x/y?page=2>; rel="next"'}


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


class Line:
    """Gives the same answer to every question."""

    def __init__(self, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        self.answer, self.headers = answer, headers or {}
        self.asked: list[str] = []

    def ask(
        self, verb: str, path: str, query: Mapping[str, Any] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Reply:  # fmt: skip
        self.asked.append(f"{verb} {path}")
        if isinstance(self.answer, GitHubError):
            raise self.answer
        return Reply(200, self.headers, json.dumps(self.answer))

    def lent(
        self, verb: str, path: str, body: Mapping[str, object] | None, rights: Mapping[str, str]
    ) -> Reply:
        return self.ask(verb, path, body=body)

    def identity(self) -> Identity:
        return Identity(4, "warden", Account(6, "warden[bot]", True), (), ())

    def token(self) -> str:
        return "t"

    def web(self) -> str:
        return "https://github.com"


def api(answer: Any, headers: Mapping[str, str] | None = None) -> Repository:
    return Repository(Repo(7, "acme/tiny", 1), Line(answer, headers))


def pull(**changed: Any) -> dict[str, Any]:
    side = {"sha": A, "ref": "b", "repo": {"id": 7}}
    return {"number": 1, "title": "t", "state": "open", "user": ANN, "draft": False,
            "head": side, "base": side, "merged_at": None, **changed}  # fmt: skip


def test_a_head_whose_repository_was_deleted_is_a_fork() -> None:
    found = api(pull(head={"sha": A, "ref": "b", "repo": None})).pull(1)
    assert found.head_repository == 0 and found.fork


def test_an_author_who_was_deleted_is_the_ghost() -> None:
    assert api(pull(user=None)).pull(1).author == answers.GHOST


def test_merged() -> None:
    assert api(pull(merged_at=STAMP, state="closed")).pull(1).merged


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "1"}, {"head": {"sha": "main", "ref": "x"}}, {"user": {"id": 0, "login": "a"}},
        {"user": {"id": 5, "login": "a b"}}, {"base": None}, {"draft": "no"},
    ],
)  # fmt: skip
def test_an_answer_that_is_not_what_it_should_be_is_no_answer(changed: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="not what it documents"):
        api(pull(**changed)).pull(1)


def test_a_million_comments_are_not_read() -> None:
    said = {"id": 1, "created_at": STAMP, "updated_at": STAMP, "body": "x", "user": ANN}
    endless = api([said], MORE)
    with pytest.raises(GitHubError, match="more than 100 pages"):
        list(endless.comments(1))
    with pytest.raises(GitHubError, match="more than 100 pages"):
        endless.create_comment(1, "MARK", "MARK")
    assert not [asked for asked in endless.line.asked if asked.startswith("POST")]  # type: ignore[attr-defined]


def commit(sha: str, **changed: Any) -> dict[str, Any]:
    return {"sha": sha, "commit": {"verification": {"verified": True}},
            "author": ANN, "committer": ANN, **changed}  # fmt: skip


@pytest.mark.parametrize("total", [0, 2, 251])
def test_commits_that_are_not_all_told_are_no_answer(total: int) -> None:
    short = api({"total_commits": total, "commits": [commit(A)]})
    with pytest.raises(GitHubError, match=f"tells 1 of {total} commits"):
        short.commit_accounts(A, B)


def test_commits_without_an_end() -> None:
    endless = api({"total_commits": 30_000, "commits": [commit(A)]}, MORE)
    with pytest.raises(GitHubError, match="more than 200 pages"):
        endless.commit_accounts(A, B)


@pytest.mark.parametrize(
    ("changed", "author", "verified"),
    [
        ({}, Account(5, "ann"), True),
        ({"author": None}, None, True),
        ({"author": {}}, None, True),
        ({"author": {"id": 6, "login": "w[bot]", "type": "Bot"}}, Account(6, "w[bot]", True), True),
        ({"commit": {"verification": {"verified": False}}}, Account(5, "ann"), False),
        ({"commit": {"verification": None}}, Account(5, "ann"), False),
        ({"commit": {}}, Account(5, "ann"), False),
    ],
)
def test_accounts_of_a_commit(
    changed: dict[str, Any], author: Account | None, verified: bool
) -> None:
    (found,) = api({"total_commits": 1, "commits": [commit(A, **changed)]}).commit_accounts(B, A)
    assert (found.author, found.committer, found.verified) == (author, Account(5, "ann"), verified)


@pytest.mark.parametrize("verified", ["true", 1, "yes"])
def test_verified_is_only_what_github_says_outright(verified: object) -> None:
    said = commit(A, commit={"verification": {"verified": verified}})
    with pytest.raises(Unavailable):
        api({"total_commits": 1, "commits": [said]}).commit_accounts(B, A)


@pytest.mark.parametrize(
    ("permission", "role_name", "due"),
    [
        ("admin", "admin", Role.ADMIN),
        ("write", "maintain", Role.MAINTAIN),
        ("write", "write", Role.WRITE),
        ("read", "triage", Role.TRIAGE),
        ("read", "read", Role.READ),
        ("none", "", Role.NONE),
        ("none", "admin", Role.NONE),
        ("read", "admin", Role.TRIAGE),
        ("admin", "read", Role.READ),
        ("write", "", Role.WRITE),
        ("write", "release-captain", Role.WRITE),
        ("read", "labeller", Role.READ),
        ("owner", "owner", Role.NONE),
    ],
)
def test_the_lower_of_two_words_on_a_role(permission: str, role_name: str, due: Role) -> None:
    assert api({"permission": permission, "role_name": role_name}).role("ann") is due


def rule(**parameters: Any) -> str:
    return json.dumps({"type": "required_status_checks", "parameters": parameters})


def test_rules() -> None:
    wanted = [{"context": "a"}, {"context": "b", "integration_id": 4}]
    found = answers.read(rule(required_status_checks=wanted), protection.Rule)
    assert found.required == (Required("a", 0), Required("b", 4))
    other = {"type": "pull_request", "parameters": {"checks": 5}}
    assert answers.read(json.dumps(other), protection.Rule).required == ()
    with pytest.raises(Unavailable, match="which checks"):
        _ = answers.read(rule(required_status_checks="all"), protection.Rule).required


def test_protection_as_older_servers_tell_it() -> None:
    checks = {"contexts": ["a", "b"], "checks": [{"context": "a", "app_id": -1}]}
    text = json.dumps({"protection": {"required_status_checks": checks}})
    found = answers.read(text, protection.Branch).protection
    assert found is not None and found.required_status_checks is not None
    assert found.required_status_checks.required == (Required("a", 0), Required("b", 0))


def test_a_plan_without_rulesets_has_none() -> None:
    words = "GitHub answers 403 to GET /x: Upgrade to GitHub Pro or make this repository public"
    free = Repository(Repo(7, "acme/tiny", 1), Line(Denied(words, "h")))
    assert tuple(free._ruled("main")) == ()
    with pytest.raises(Denied):
        tuple(Repository(free.repo, Line(Denied("no", "h")))._ruled("main"))


def test_a_run_of_another_commit_name_is_not_found() -> None:
    with pytest.raises(Refused):
        api({}).runs("HEAD")


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*pull(), "commits", "total_commits"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_answer_is_read_or_none(answer: Any) -> None:
    said = api(answer)
    for ask in (lambda: said.pull(1), lambda: said.commit_accounts(A, B),
                lambda: list(said.comments(1)), lambda: said.runs(A), lambda: said.role("ann"),
                lambda: said.required_checks("main")):  # fmt: skip
        try:
            ask()
        except GitHubError as error:
            assert error.hint and len(error.message) < 500
