from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.github import events
from bot.github.acts import (
    Act,
    Ignored,
    Installed,
    Judge,
    Press,
    Pushed,
    Removed,
    Rerun,
    Stop,
    Talk,
)
from bot.github.errors import Malformed
from bot.github.values import Repo, Target
from bot.people import Account
from bot.serve.contract import Delivery
from tests.githubfake.examples import payloads

APP = 42
HEAD, BASE = "a" * 40, "b" * 40
REPO = Repo(7, "acme/tiny", 99, "main")
ANN = {"id": 5, "login": "ann", "type": "User"}
BOT = {"id": 6, "login": "warden[bot]", "type": "Bot"}
COMMON: dict[str, Any] = {
    "installation": {"id": 99},
    "repository": {"id": 7, "full_name": "acme/tiny", "default_branch": "main"},
    "sender": ANN,
}
EXAMPLES = list(payloads())


def read(event: str, payload: Any, app: int = APP) -> tuple[Act, ...]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return events.read(Delivery("0123-4567", event, body), app)


def pull(action: str, **changed: Any) -> Act:
    more = {"changes": changed.pop("changes")} if "changes" in changed else {}
    data = {
        "number": 3, "head": {"sha": HEAD}, "base": {"sha": BASE}, "draft": False,
        "updated_at": "2026-01-02T03:04:05Z", **changed,
    }  # fmt: skip
    (act,) = read("pull_request", {**COMMON, "action": action, "pull_request": data, **more})
    return act


def judge(why: str, attempt: str = "") -> Judge:
    return Judge(Target(REPO, 3, HEAD, BASE, attempt), why)


@pytest.mark.parametrize(
    ("act", "due"),
    [
        (pull("opened"), judge("opened")),
        (pull("synchronize"), judge("synchronize")),
        (pull("reopened"), judge("reopened", "o20260102T030405Z")),
        (pull("ready_for_review"), judge("ready_for_review", "d20260102T030405Z")),
        (
            pull("edited", changes={"base": {"ref": {"from": "old"}, "sha": {"from": HEAD}}}),
            judge("edited", "e20260102T030405Z"),
        ),
        (
            pull("edited", changes={"title": {"from": "old"}}),
            Ignored("pull_request edited, but not its base"),
        ),
        (pull("edited"), Ignored("pull_request edited, but not its base")),
        (pull("opened", draft=True), Ignored(events.DRAFT)),
        (pull("synchronize", draft=True), Stop(REPO, 3, events.DRAFT)),
        (pull("reopened", draft=True), Stop(REPO, 3, events.DRAFT)),
        (pull("closed"), Stop(REPO, 3, "closed")),
        (pull("closed", merged=True), Stop(REPO, 3, "merged")),
        (pull("closed", draft=True), Stop(REPO, 3, "closed")),
        (pull("converted_to_draft", draft=True), Stop(REPO, 3, "converted to a draft")),
        (pull("labeled"), Ignored("pull_request labeled")),
    ],
)
def test_pull_requests(act: Act, due: Act) -> None:
    assert act == due


def comment(action: str = "created", sender: Any = ANN, issue: Any = None, **changed: Any) -> Act:
    said = {"id": 12, "updated_at": "2026-01-02T03:04:05Z", "user": ANN, "body": "/warden check"}
    issue = {"number": 3, "pull_request": {}} if issue is None else issue
    payload = {**COMMON, "action": action, "issue": issue, "comment": said | changed}
    (act,) = read("issue_comment", payload | {"sender": sender})
    return act


@pytest.mark.parametrize(
    ("act", "due"),
    [
        (comment(), Talk(REPO, 3, 12, "2026-01-02T03:04:05Z")),
        (comment(body="thanks\r\n  /Warden help"), Talk(REPO, 3, 12, "2026-01-02T03:04:05Z")),
        (comment(performed_via_github_app=None), Talk(REPO, 3, 12, "2026-01-02T03:04:05Z")),
        (comment(performed_via_github_app={"id": 1}), Talk(REPO, 3, 12, "2026-01-02T03:04:05Z")),
        (comment(performed_via_github_app={"id": APP}), Ignored("our own comment")),
        (comment("edited"), Ignored("issue_comment edited")),
        (comment("deleted"), Ignored("issue_comment deleted")),
        (comment(issue={"number": 3}), Ignored("a comment on an issue that is no pull request")),
        (comment(sender=BOT), Ignored(events.BOT)),
        (comment(user=BOT), Ignored(events.BOT)),
        (comment(body=None), Ignored("a comment without a line that begins with a command")),
        (
            comment(body="please try /warden check"),
            Ignored("a comment without a line that begins with a command"),
        ),
    ],
)
def test_comments(act: Act, due: Act) -> None:
    assert act == due


def run(action: str, sender: Any = ANN, **changed: Any) -> Act:
    data = {"id": 8, "name": "licenses", "head_sha": HEAD, "external_id": "k", "app": {"id": APP}}
    payload = {**COMMON, "action": action, "check_run": data | changed, "sender": sender}
    (act,) = read("check_run", payload | {"requested_action": {"identifier": "approve"}})
    return act


def suite(sender: Any = ANN, **changed: Any) -> Act:
    data = {"id": 9, "head_sha": HEAD, "app": {"id": APP}, "updated_at": "2026-01-02T03:04:05Z"}
    payload = {**COMMON, "action": "rerequested", "check_suite": data | changed, "sender": sender}
    (act,) = read("check_suite", payload)
    return act


WHO = Account(5, "ann")


@pytest.mark.parametrize(
    ("act", "due"),
    [
        (run("rerequested"), Rerun(REPO, HEAD, "licenses", "r8", WHO)),
        (run("requested_action"), Press(REPO, HEAD, 8, "k", "approve", WHO)),
        (run("requested_action", external_id=None), Press(REPO, HEAD, 8, "", "approve", WHO)),
        (run("rerequested", app={"id": 1}), Ignored("a check run of another App")),
        (run("requested_action", app=None), Ignored("a check run of another App")),
        (run("rerequested", sender=BOT), Ignored(events.BOT)),
        (run("completed"), Ignored("check_run completed")),
        (suite(), Rerun(REPO, HEAD, "", "s9-20260102T030405Z", WHO)),
        (suite(updated_at=None), Rerun(REPO, HEAD, "", "s9-01234567", WHO)),
        (suite(app={"id": 1}), Ignored("a check suite of another App")),
        (suite(sender=BOT), Ignored(events.BOT)),
    ],
)
def test_checks(act: Act, due: Act) -> None:
    assert act == due


def other(event: str, **payload: Any) -> Act:
    (act,) = read(event, {**COMMON, **payload})
    return act


BRIEF = {"id": 7, "full_name": "acme/tiny"}
SHORT = Repo(7, "acme/tiny", 99)
GROUP = {"head_sha": HEAD, "base_sha": BASE, "head_ref": "refs/heads/gh-readonly-queue/main/x"}


@pytest.mark.parametrize(
    ("act", "due"),
    [
        (other("push", ref="refs/heads/main", after=HEAD), Pushed(REPO, HEAD)),
        (
            other("push", ref="refs/heads/x", after=HEAD),
            Ignored("push to another ref than the default branch"),
        ),
        (
            other("push", ref="refs/tags/main", after=HEAD),
            Ignored("push to another ref than the default branch"),
        ),
        (
            other("push", ref="refs/heads/main", after="0" * 40),
            Ignored("the default branch was deleted"),
        ),
        (
            other("push", ref="refs/heads/main", after=HEAD, deleted=True),
            Ignored("the default branch was deleted"),
        ),
        (
            other("merge_group", action="checks_requested", merge_group=GROUP),
            Judge(Target(REPO, 0, HEAD, BASE), "merge group"),
        ),
        (
            other("merge_group", action="destroyed", reason="dequeued", merge_group=GROUP),
            Ignored("merge_group destroyed"),
        ),
        (other("installation", action="created", repositories=[BRIEF]), Installed((SHORT,))),
        (other("installation", action="unsuspend", repositories=[BRIEF]), Installed((SHORT,))),
        (
            other("installation", action="new_permissions_accepted", repositories=[BRIEF]),
            Installed((SHORT,)),
        ),
        (other("installation", action="unsuspend"), Installed(())),
        (other("installation", action="deleted", repositories=[BRIEF]), Removed((7,))),
        (
            other("installation_repositories", action="added", repositories_added=[BRIEF]),
            Installed((SHORT,)),
        ),
        (
            other("installation_repositories", action="removed", repositories_removed=[BRIEF]),
            Removed((7,)),
        ),
        (other("star", action="created"), Ignored("event star")),
        (other("ping"), Ignored("event ping")),
        (
            other("push", ref="refs/heads/main", after=HEAD, installation=None),
            Ignored("not sent by an installation of the App"),
        ),
    ],
)
def test_the_others(act: Act, due: Act) -> None:
    assert act == due


def deep(levels: int) -> bytes:
    return b'{"action":"opened","x":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"not json",
        b"\xff\xfe",
        b'{"action": 5}',
        b'{"action": "opened", "action": "closed"}',
        b'{"action": "opened", "installation": 7}',
        b'{"action": "opened", "installation": {"id": true}}',
        b'{"action": "opened", "installation": {"id": 1e3}}',
        b'{"action": "opened", "installation": {"id": -1}}',
        b'{"action": "opened", "installation": {"id": ' + b"9" * 5000 + b"}}",
        b'{"action": "opened", "installation": {"id": NaN}}',
        b'{"action": "opened\\u0000", "installation": {"id": 1}}',
        b'{"action": "\\ud800", "installation": {"id": 1}}',
        deep(64),
        deep(1_000_000),
    ],
    ids=range(17),
)
def test_what_is_signed_but_no_payload_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read("pull_request", body)
    assert len(caught.value.message) <= 500


@pytest.mark.parametrize(
    "changed",
    [
        {"head": {"sha": "main"}},
        {"head": {"sha": HEAD[:12]}},
        {"head": {"sha": HEAD + "\n"}},
        {"head": {"sha": HEAD.upper()}},
        {"head": {"sha": "--upload-pack=x"}},
        {"head": None},
        {"number": 0},
        {"number": "3"},
        {"number": 2**63},
        {"draft": "yes"},
        {"updated_at": "yesterday"},
    ],
)
def test_fields_have_their_form(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed, match="pull_request"):
        pull("synchronize", **changed)


@pytest.mark.parametrize(
    "name", ["acme", "../tiny", "acme/tiny/x", "acme/ti ny", "a\n/b", "/x", "a/..", "a/."]
)
def test_names_of_repositories_have_their_form(name: str) -> None:
    with pytest.raises(Malformed, match="full_name"):
        other("push", ref="x", after=HEAD, repository={"id": 7, "full_name": name})


@pytest.mark.parametrize("name", ["acme/.github", "octo_corp/a.b-c_d", "a/..x", "A-1/x" + "y" * 90])
def test_unusual_names_are_fine(name: str) -> None:
    payload = {"id": 7, "full_name": name, "default_branch": "main"}
    act = other("push", ref="refs/heads/main", after=HEAD, repository=payload)
    assert isinstance(act, Pushed) and act.repo.name == name


@pytest.mark.parametrize("installed", [False, True])
def test_every_real_payload_is_acted_on_or_ignored_with_a_reason(installed: bool) -> None:
    assert len(EXAMPLES) == 329
    seen: set[type[Act]] = set()
    for event, payload in EXAMPLES:
        app = payload.get("check_run", payload.get("check_suite", {})).get("app", {}).get("id", 1)
        more = {"installation": {"id": 99}} if installed else {}
        for act in read(event, payload | more, app):
            seen.add(type(act))
            assert not isinstance(act, Ignored) or act.reason
    assert {Judge, Stop, Rerun, Press, Pushed, Installed, Removed, Ignored} <= seen


HOSTILE: list[Any] = [
    None, True, -1, 0, 2**80, 1.5, "", "\x00", "x" * 5000, "../../etc", "$(id)", [], {}, [[]],
    {"id": 1}, "\u202e", {"sha": "HEAD"},
]  # fmt: skip
HANDLED = [(e, p) for e, p in EXAMPLES if e in events._HANDLERS]


def places(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [trail] if trail else []
    items = value.items() if isinstance(value, dict) else ()
    for key, child in items:
        inner += places(child, (*trail, key))
    return inner


def altered(payload: Any, trail: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    made = copy.deepcopy(payload)
    at = made
    for key in trail[:-1]:
        at = at[key]
    change(at, trail[-1])
    return made


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_changed_payload_is_read_or_malformed_never_worse(data: st.DataObject) -> None:
    event, payload = data.draw(st.sampled_from(HANDLED))
    payload = payload | {"installation": {"id": 99}}
    trail = data.draw(st.sampled_from(places(payload)))
    hostile = data.draw(st.sampled_from(HOSTILE))
    if data.draw(st.booleans()):
        changed = altered(payload, trail, lambda at, key: at.pop(key))
    else:
        changed = altered(payload, trail, lambda at, key: at.__setitem__(key, hostile))
    try:
        acts = read(event, changed)
    except Malformed as error:
        assert error.hint and len(error.message) <= 500
    else:
        assert acts


@settings(max_examples=200)
@given(st.sampled_from(sorted(events._HANDLERS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(event: str, body: bytes) -> None:
    with suppress(Malformed):  # among bytes there are JSON objects, such as {"":""}
        read(event, body)
