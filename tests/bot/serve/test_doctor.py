from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.github.client import PERMISSIONS, GitHub
from bot.github.errors import Unavailable
from bot.github.values import Hook, Identity, Repo, Required
from bot.people import Account
from bot.serve import diagnosis, doctor
from bot.serve.diagnosis import NEEDED, Item
from bot.serve.records import Records
from bot.serve.settings import Settings
from tests.bot.serve.serving import settings
from tests.githubfake import FakeGitHub
from tests.githubfake.records import Required as Required_

REPO = Repo(1, "acme/tiny", 2, "main")
URL = "https://warden.example"
EVENTS = ("issue_comment", "merge_group", "pull_request", "push", "check_run")


def who(granted: Mapping[str, str] = NEEDED, events: tuple[str, ...] = EVENTS) -> Identity:
    return Identity(5, "w", Account(9, "w[bot]", True), tuple(sorted(granted.items())), events)


def brief(*items: Item) -> list[tuple[str, str]]:
    assert all(item.remedy or item.state == "ok" for item in items)
    return [(item.state, item.said) for item in items]


def test_what_is_needed_is_what_tokens_are_asked_for() -> None:
    assert dict(NEEDED) == PERMISSIONS


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, [("ok", "checks: write, contents: read, metadata: read, pull_requests: write")]),
        ({"checks": "read"}, [("fail", "checks: read, write is needed")]),
        ({"contents": ""}, [("fail", "contents: none, read is needed")]),
        ({"contents": "write"}, [("warn", "contents: write is more than we use")]),
        ({"secrets": "read"}, [("warn", "secrets: read is more than we use")]),
        ({"merge_queues": "read", "administration": "read"},
         [("ok", "checks: write, contents: read, metadata: read, pull_requests: write")]),
        ({"checks": "read", "workflows": "write"},
         [("fail", "checks: read, write is needed"),
          ("warn", "workflows: write is more than we use")]),
    ],
)  # fmt: skip
def test_permissions(change: dict[str, str], found: list[tuple[str, str]]) -> None:
    granted = {k: v for k, v in ({**NEEDED, **change}).items() if v}
    assert brief(*diagnosis.permissions(who(granted))) == found


def test_the_right_to_start_a_release_is_optional() -> None:
    with_it = who({**NEEDED, "actions": "write"})
    assert brief(*diagnosis.permissions(with_it))[0][0] == "ok"  # not more than we use
    assert "used for `/warden release`" in diagnosis.releasing(with_it).said
    for granted in (NEEDED, {**NEEDED, "actions": "read"}):
        item = diagnosis.releasing(who(granted))
        assert item.state == "ok" and "by hand" in item.said


def test_events() -> None:
    assert brief(*diagnosis.events(who()))[0][0] == "ok"
    assert brief(*diagnosis.events(who(events=EVENTS[1:]))) == [("fail", "not sent: issue_comment")]
    assert brief(*diagnosis.events(who(events=("issue_comment", "pull_request", "push")))) == [
        ("warn", "merge_group is not sent: a merge queue would wait for ever")
    ]


GOOD = Hook(f"{URL}/webhook", "json", False, True)


@pytest.mark.parametrize(
    ("hook", "public", "found"),
    [
        (GOOD, URL, [("ok", f"{URL}/webhook, json, signed")]),
        (Hook(GOOD.url, "form", True, False), URL,
         [("fail", "no secret: anybody could send deliveries"),
          ("fail", "certificates are not checked"), ("fail", "content type form")]),
        (Hook("https://other.example/webhook", "json", False, True), URL,
         [("fail", f"sent to https://other.example/webhook, not to {URL}/webhook")]),
        (Hook("", "json", False, True), URL, [("fail", "no address: nothing is delivered")]),
        (GOOD, "", [("warn", f"sent to {URL}/webhook; public_url is not set, so nothing to "
                     "compare")]),
    ],
)  # fmt: skip
def test_webhook(hook: Hook, public: str, found: list[tuple[str, str]]) -> None:
    assert brief(*diagnosis.webhook(hook, public)) == found


@pytest.mark.parametrize(
    ("off", "state"), [(0, "ok"), (-9, "ok"), (30, "warn"), (-299, "warn"), (301, "fail")]
)
def test_clock(off: float, state: str) -> None:
    assert diagnosis.clock(1000.0, 1000.0 + off).state == state


@pytest.mark.parametrize(
    ("required", "state"),
    [
        ((), "warn"),
        ((Required("tests", 5),), "warn"),
        ((Required("modelwarden", 5),), "ok"),
        ((Required("tests", 1), Required("modelwarden", 5)), "ok"),
        ((Required("modelwarden", 0),), "fail"),  # anybody's check of that name would do
        ((Required("modelwarden", 7),), "fail"),
        ((Required("modelwarden", 5), Required("modelwarden", 0)), "fail"),
    ],
)
def test_branch(required: tuple[Required, ...], state: str) -> None:
    found = diagnosis.branch(REPO, required, "modelwarden", 5)
    assert brief(found)[0][0] == state and "acme/tiny: main" in found.said


def test_the_machine() -> None:
    looked = (
        diagnosis.sandbox("bubblewrap", ()),
        diagnosis.sandbox("limits", ("network",)),
        diagnosis.sandbox("", ("network",)),
        diagnosis.gpu(("cuda:0", "cuda:1"), "gpu"),
        diagnosis.gpu(("cpu",), "all"),
        diagnosis.gpu(("cpu",), "gpu"),
        diagnosis.git((2, 39, 5)),
        diagnosis.git((2, 9, 9)),
        diagnosis.git(()),
        diagnosis.room(30_000_000_000, 20e9),
        diagnosis.room(10_000_000_000, 20e9),
    )
    states = "ok warn fail ok warn fail ok fail fail ok warn"
    assert " ".join(state for state, _ in brief(*looked)) == states


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as running:
        running.repository("acme/tiny")
        running.app.permissions = {**NEEDED, "administration": "read", "merge_queues": "read"}
        running.app.events = list(EVENTS)
        running.app.hook_url = f"{URL}/webhook"
        yield running
        assert not running.violations


def ask(hub: FakeGitHub, folder: Path, **more: Any) -> dict[str, list[Item]]:
    """What the doctor says, by name, without the slow looks at sandbox and GPU."""
    given = {"worker": "web", "public_url": URL, "app_id": hub.app.id, "mirror_gb": 0.001} | more
    read: Settings = settings(folder, github_url=hub.url, **given)
    github = GitHub(read.app_id, hub.app.key, url=hub.url)
    found: dict[str, list[Item]] = {}
    for item in doctor.examine(read, github, lambda: Records(read.database_url)):
        found.setdefault(item.name, []).append(item)
    github.close()
    return found


def test_all_is_well(hub: FakeGitHub, tmp_path: Path) -> None:
    hub.repositories["acme/tiny"].required["main"] = [Required_("modelwarden", hub.app.id)]
    found = ask(hub, tmp_path)
    assert {item.state for items in found.values() for item in items} == {"ok"}, found
    assert set(found) == {"database", "folder", "git", "clock", "app", "permissions", "events",
                          "webhook", "branch"}  # fmt: skip


def test_a_check_that_anybody_may_report(hub: FakeGitHub, tmp_path: Path) -> None:
    hub.repositories["acme/tiny"].required["main"] = [Required_("modelwarden", None, ruleset=True)]
    (branch,) = ask(hub, tmp_path)["branch"]
    assert branch.state == "fail" and "anybody" in branch.said


def test_a_clock_that_is_wrong(hub: FakeGitHub, tmp_path: Path) -> None:
    hub.skew = 3600
    (clock,) = ask(hub, tmp_path)["clock"]
    assert clock.state == "fail" and "-3600 s" in clock.said.replace("-3599", "-3600")


def test_github_is_away(tmp_path: Path) -> None:
    read = settings(tmp_path, worker="web", github_url="http://127.0.0.1:9", mirror_gb=0.001)

    class Away:
        def __getattr__(self, name: str) -> Any:
            def ask(*given: object) -> Any:
                raise Unavailable("no answer from GitHub", "look at the network")

            return ask

    items = tuple(doctor.examine(read, Away(), lambda: Records(read.database_url)))
    failed = [(item.name, item.said) for item in items if item.state == "fail"]
    assert failed == [("app", "no answer from GitHub")]  # and that once


def test_a_key_of_another_app(hub: FakeGitHub, tmp_path: Path) -> None:
    found = ask(hub, tmp_path, app_id=hub.app.id + 1)
    (app,) = found["app"]
    assert app.state == "fail" and "401" in app.said and "clock" not in found
    assert f"app_id, {hub.app.id + 1}," in app.remedy and "--check" not in app.remedy


def test_permissions_that_an_installation_did_not_accept(hub: FakeGitHub, tmp_path: Path) -> None:
    for installation in hub.installations.values():
        del installation.permissions["checks"]
    (branch,) = ask(hub, tmp_path)["branch"]
    assert branch.state == "fail" and "not granted" in branch.said and "accept" in branch.remedy


def test_a_database_that_is_away(tmp_path: Path, hub: FakeGitHub) -> None:
    url = SecretStr("postgresql://bot:a-secret-password@127.0.0.1:1/warden")
    (database,) = ask(hub, tmp_path, database=url)["database"]
    assert database.state == "fail" and "a-secret-password" not in repr(database)


def test_a_folder_that_is_a_file(tmp_path: Path, hub: FakeGitHub) -> None:
    (tmp_path / "file").write_text("x")
    url = SecretStr(f"sqlite:///{tmp_path}/w.db")
    (folder,) = ask(hub, tmp_path / "file" / "x", database=url)["folder"]
    assert folder.state == "fail" and folder.remedy


def test_the_gpu_is_asked_for_in_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    read = settings(tmp_path, worker="all")
    had_torch = "torch" in sys.modules
    assert doctor._gpu(read).name == "gpu"
    assert ("torch" in sys.modules) is had_torch
    monkeypatch.setattr(doctor, "_DEVICES", "import sys; sys.exit('no driver')")
    (item,) = doctor._asked("gpu", lambda: (doctor._gpu(read),))
    assert (item.state, item.said) == ("fail", "PyTorch does not load: no driver")
    monkeypatch.setattr(doctor, "_DEVICES", "import time; time.sleep(60)")
    monkeypatch.setattr(doctor, "GPU_SECONDS", 0.2)
    (item,) = doctor._asked("gpu", lambda: (doctor._gpu(read),))
    assert item.said == "PyTorch did not answer"


ITEMS = (
    Item("a", "ok", "fine"),
    Item("b", "warn", "so so\x1b[31m", "look"),
    Item("c", "fail", "password is ://ada:correct-horse@db", "repair it"),
)


def test_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.show(iter(ITEMS), "text") == 1
    said = capsys.readouterr().out
    assert "ok    a            fine\n" in said and "to do: repair it" in said
    assert said.endswith("1 thing to repair\n")
    assert "correct-horse" not in said and "\x1b" not in said
    assert doctor.show(iter(ITEMS[:2]), "text") == 0
    assert capsys.readouterr().out.endswith("ready to serve (1 warning)\n")
    assert doctor.show(iter(ITEMS[:1]), "text") == 0
    assert capsys.readouterr().out.endswith("ready to serve\n")


def test_shown_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.show(iter(ITEMS), "json") == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False and [i["state"] for i in said["items"]] == ["ok", "warn", "fail"]
    assert "correct-horse" not in repr(said)


def test_github_s_clock_is_asked(hub: FakeGitHub) -> None:
    github = GitHub(hub.app.id, hub.app.key, url=hub.url)
    assert abs(github.clock() - time.time()) < 60
    github.close()
