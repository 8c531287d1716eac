"""From a webhook to what people see, over real HTTP, git and SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.catalog import CHECKS
from bot.github import checkruns
from bot.github.comment import MARKER
from tests.bot.serve.stack import Stack, running, wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.repository import Repository

UNPINNED = {"requirements.txt": "requests\n"}
CLEAN = {"notes.md": "# Notes\n"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    made = hub.repository("acme/tiny", {"README.md": "# tiny\n", "LICENSE": "MIT License\n"})
    made.grant("ada", "maintain")
    made.grant("will", "write")
    return made


@pytest.fixture
def stack(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Stack]:
    with running(tmp_path, hub) as made:
        yield made


def _once(repo: Repository) -> None:
    """Every run of ours was concluded, exactly once; names repeat only over attempts."""
    for run in repo.runs.values():
        assert [status for status, _ in run.history].count("completed") == 1, run.history
    assert len({run.external_id for run in repo.runs.values()}) == len(repo.runs)


def test_a_fork_gets_its_verdict(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    runs = stack.runs(repo, pull.head)
    assert runs.pop("modelwarden") == "failure"
    assert runs.pop("modelwarden / dependencies") == "failure"
    assert runs.pop("modelwarden / regression") == "skipped"
    assert len(runs) == len(CHECKS) - 1 and set(runs.values()) == {"success", "skipped"}, runs
    (text,) = stack.ours(repo, pull.number)
    assert text.startswith(f"{MARKER}\n## ❌ FAIL")
    failed = next(r for r in repo.runs.values() if r.name == "modelwarden / dependencies")
    assert failed.annotations[0]["path"] == "requirements.txt"
    assert [a["identifier"] for a in failed.actions] == ["waive", "rerun"]
    _once(repo)


def test_a_push_edits_the_comment_in_place(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    old = pull.head
    pull.push({"requirements.txt": "requests==2.32.0\n"})
    stack.settle()
    assert stack.runs(repo, old)["modelwarden"] == "failure"
    assert "dependencies/unpinned" not in stack.ours(repo, pull.number)[0]
    assert stack.runs(repo, pull.head)["modelwarden / dependencies"] == "success"
    assert len(stack.ours(repo, pull.number)) == 1
    _once(repo)


def test_pushes_in_a_row_end_in_one_verdict_on_the_last(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    heads = [pull.head] + [pull.push({"n": str(i)}) for i in range(4)]
    stack.settle()
    assert stack.runs(repo, heads[-1])["modelwarden"] == "success"
    for head in heads[:-1]:  # judged, superseded or never begun; nothing is left open
        assert "in_progress" not in stack.runs(repo, head).values()
    (text,) = stack.ours(repo, pull.number)
    assert f"Head <code>{heads[-1][:12]}" in text
    _once(repo)


@pytest.mark.parametrize("announced", [True, False])
def test_a_head_that_comes_back_is_judged_again(
    stack: Stack, hub: FakeGitHub, repo: Repository, announced: bool
) -> None:
    hub.slow = 1.5
    hub.fault("POST", r"/check-runs$", "slow", times=4)
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    first, above = pull.head, repo.head("main")
    if announced:
        wait_for(lambda: "modelwarden" in stack.runs(repo, first), "the first run")
    pull.push({"other.md": "# Other\n"}, parents=(above,))
    stack.settle()
    assert stack.runs(repo, first).get("modelwarden", "cancelled") == "cancelled"
    pull.reset(first)
    stack.settle()
    assert stack.runs(repo, first)["modelwarden"] == "success"
    assert f"Head <code>{first[:12]}" in stack.ours(repo, pull.number)[0]
    _once(repo)


def test_closing_ends_what_is_under_way(stack: Stack, hub: FakeGitHub, repo: Repository) -> None:
    hub.slow = 2.0
    hub.fault("POST", r"/check-runs$", "slow", times=9)
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    pull.close()
    stack.settle()
    stack.parts.engine.put("watch", "now", {})
    stack.settle()
    assert "in_progress" not in stack.runs(repo, pull.head).values()
    pull.reopen()
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"


def test_a_draft_is_judged_when_it_is_ready(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN, draft=True)
    stack.settle()
    assert stack.runs(repo, pull.head) == {}
    pull.ready()
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"


def test_a_merge_group_gets_runs_and_no_comment(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    stack.settle()
    group = pull.enqueue()
    stack.settle()
    assert stack.runs(repo, group)["modelwarden"] == "success"
    assert len(stack.ours(repo, pull.number)) == 1
    _once(repo)


def test_a_waiver_by_comment_lets_the_change_in(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    line = "/warden waive dependencies/unpinned until {} because it is pinned by the lock"
    repo.comment(pull.number, "mallory", line.format("2026-12-20"))
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    repo.comment(pull.number, "ada", line.format("2026-12-20"))
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"
    sticky, refusal, answer = stack.ours(repo, pull.number)
    assert sticky.startswith(f"{MARKER}\n## ✅ PASS") and "by ada in a comment" in sticky
    group = pull.enqueue()  # the queue keeps the commit that the waiver is for
    stack.settle()
    assert stack.runs(repo, group)["modelwarden"] == "success"
    assert "**Not done:**" in refusal and "waived" in answer.lower()
    _once(repo)


TRUST = """
format = 1
project = "tiny"
version = 1
expires = 2030-01-01
[people.will]
account = "will"
[people.eve]
account = "eve"
[roles.waivers]
actions = ["waive"]
members = ["eve"]
threshold = 1
artifacts = ["tiny"]
"""


def test_where_there_is_a_trust_file_it_says_who_waives(stack: Stack, hub: FakeGitHub) -> None:
    files = {"README.md": "# tiny\n", "LICENSE": "MIT License\n", ".github/trust.toml": TRUST}
    repo = hub.repository("acme/trusting", files)
    for name in ("ada", "eve"):
        repo.grant(name, "maintain")
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    line = "/warden waive dependencies/unpinned until 2026-12-20 because it is pinned by the lock"
    repo.comment(pull.number, "ada", line)
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    assert "trust file" in stack.ours(repo, pull.number)[-1]
    repo.comment(pull.number, "eve", line)
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"


@pytest.mark.parametrize(
    "body",
    [
        "> /warden check",
        "```\n/warden check\n```",
        "    /warden check",
        "<!--\n/warden check\n-->",
        "please /warden check",
        "`/warden check`",
        "- /warden check",
    ],
)
def test_what_only_quotes_a_command_is_silent(stack: Stack, repo: Repository, body: str) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    stack.settle()
    runs = len(repo.runs)
    repo.comment(pull.number, "ada", body)
    stack.settle()
    assert len(repo.runs) == runs and len(stack.ours(repo, pull.number)) == 1


def test_a_re_run_makes_new_runs(stack: Stack, hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    stack.settle()
    first = next(r for r in repo.runs.values() if r.name == "modelwarden / files")
    hub.rerequest(first.id, "ada")
    stack.settle()
    again = [r for r in repo.runs.values() if r.name == first.name]
    assert len(again) == 2 and len({r.external_id for r in again}) == 2
    button = next(r for r in repo.runs.values() if r.name == checkruns.SUMMARY)
    hub.press(button.id, "rerun", "mallory")  # may not
    stack.settle()
    assert len([r for r in repo.runs.values() if r.name == first.name]) == 2
    hub.press(button.id, "rerun", "will")
    stack.settle()
    assert len([r for r in repo.runs.values() if r.name == first.name]) == 3
    assert len(stack.ours(repo, pull.number)) == 1
    _once(repo)


def test_what_the_server_missed_is_found_at_the_start(
    tmp_path: Path, hub: FakeGitHub, repo: Repository
) -> None:
    one = repo.pull(author="will", branch="one", files=CLEAN)
    hub.deliver_to("http://127.0.0.1:9/webhook")  # nobody listens
    two = repo.pull(author="will", branch="two", files=CLEAN)
    repo.comment(one.number, "will", "/warden explain weights/pickle")
    hub.flush()
    with running(tmp_path, hub) as stack:
        stack.settle()
        hub.flush()
        stack.settle()
        for pull in (one, two):
            assert stack.runs(repo, pull.head)["modelwarden"] == "success"
        assert len(stack.ours(repo, one.number)) == 2  # the comment was delivered again
    assert hub.redeliveries
    _once(repo)


def test_a_dry_run_writes_nothing(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> None:
    with running(tmp_path, hub, dry_run=True) as stack:
        pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
        stack.settle()
        assert not repo.runs and not stack.ours(repo, pull.number)
        page = stack.get(f"/r/acme/tiny/pull/{pull.number}").text
        assert "dependencies/unpinned" in page
    assert {r.method for r in hub.asked(path="^/repos")} == {"GET"}


def test_the_pages_show_the_report(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    assert "acme/tiny" in stack.get("/").text
    assert stack.get(f"/r/acme/tiny/pull/{pull.number}").status_code == 200
    assert stack.get("/readyz").status_code == 200
    assert "modelwarden_deliveries_total" in stack.get("/metrics").text


def test_metrics_of_the_default_branch_become_a_history(stack: Stack, repo: Repository) -> None:
    values = (2.75, 2.5, 2.25)
    for value in values:
        repo.commit({"metrics.json": json.dumps({"held-out": {"bits_per_byte": value}})})
        stack.settle()
    repo.commit({"metrics.json": "[" * 10_000})  # no metrics: the history stays as it was
    repo.commit({"metrics.json": '{"held-out": {"bits_per_byte": 9}}'}, branch="aside")
    stack.settle()
    points = stack.parts.records.points(repo.id, 9)
    assert [(p.name, p.value) for p in points] == [("held-out: bits_per_byte", v) for v in values]
    page = stack.get("/r/acme/tiny").text
    assert "<svg" in page and "held-out: bits_per_byte" in page and "2.250" in page


DISPATCHED = """
on:
  workflow_dispatch:
    inputs:
      pull: {required: true}
      version: {}
"""
RELEASING = {"README.md": "# tiny\n", "LICENSE": "MIT License\n",
             ".github/workflows/release.yml": DISPATCHED}  # fmt: skip
WHO = "version: 1\nrelease: {who: [ada]}\n"


def granted(hub: FakeGitHub, repo: Repository) -> None:
    """The App may start workflows."""
    installed = hub.installation(repo)
    assert installed is not None
    installed.permissions["actions"] = "write"


def released(stack: Stack, repo: Repository, line: str, who: str = "ada") -> str:
    """Merge a pull request, say a line there, and return the answer."""
    pull = repo.pull(author="mallory", branch="x", files={"a.py": "1\n"})
    pull.merge("ada")
    stack.settle()
    repo.comment(pull.number, who, line)
    stack.settle()
    return stack.ours(repo, pull.number)[-1]


def test_a_release_is_started_by_comment_and_by_another_identity(
    stack: Stack, hub: FakeGitHub
) -> None:
    repo = hub.repository("acme/releasing", RELEASING)
    repo.grant("ada", "maintain")
    granted(hub, repo)
    answer = released(stack, repo, "/warden release v1.2.0")
    (made,) = repo.dispatched
    assert (made.workflow, made.ref) == ("release.yml", "main")
    assert made.inputs == {"pull": "1", "version": "1.2.0"}
    assert f"/actions/runs/{made.run}" in answer and "asks to release" in answer
    # The right is asked for once, for this alone, and no other token has it.
    minted = [s.body["permissions"] for s in hub.asked("POST", "/access_tokens$")]
    assert [rights for rights in minted if "actions" in rights] == [{"actions": "write"}]
    assert not repo.releases and not hub.violations


def test_without_the_right_the_answer_says_how(stack: Stack, hub: FakeGitHub) -> None:
    repo = hub.repository("acme/releasing", RELEASING)
    repo.grant("ada", "maintain")
    answer = released(stack, repo, "/warden release")
    assert "**Not started:**" in answer and "actions: write" in answer
    assert "Run workflow" in answer and not repo.dispatched


def test_without_the_workflow_the_answer_says_so(stack: Stack, hub: FakeGitHub) -> None:
    repo = hub.repository("acme/bare", {"README.md": "# tiny\n"})
    repo.grant("ada", "maintain")
    granted(hub, repo)
    answer = released(stack, repo, "/warden release")
    assert "release.yml" in answer and "that can be started" in answer


@pytest.mark.parametrize("kind", ["502-after-store", "drop"])
def test_a_start_whose_answer_is_lost_is_not_made_twice(
    stack: Stack, hub: FakeGitHub, kind: str
) -> None:
    repo = hub.repository("acme/releasing", RELEASING)
    repo.grant("ada", "maintain")
    granted(hub, repo)
    hub.fault("POST", "/dispatches$", kind)
    answer = released(stack, repo, "/warden release")
    assert "it may run all the same" in answer
    assert len(hub.asked("POST", "/dispatches$")) == 1


def test_an_older_server_starts_it_too(stack: Stack, hub: FakeGitHub) -> None:
    hub.digests = False
    repo = hub.repository("acme/releasing", RELEASING)
    repo.grant("ada", "maintain")
    granted(hub, repo)
    assert "page Actions" in released(stack, repo, "/warden release")
    assert len(repo.dispatched) == 1


def test_who_may_not_release_starts_nothing(stack: Stack, hub: FakeGitHub) -> None:
    repo = hub.repository("acme/named", {**RELEASING, ".github/modelwarden.yml": WHO})
    for name, role in (("ada", "maintain"), ("ben", "admin"), ("cleo", "write")):
        repo.grant(name, role)
    granted(hub, repo)
    assert "release.who" in released(stack, repo, "/warden release", "ben")
    number = repo.pull(author="mallory", branch="y", files={"b.py": "1\n"}).number
    repo.comment(number, "ada", "/warden release")
    repo.comment(1, "cleo", "/warden release")
    stack.settle()
    assert any("only what is merged" in said for said in stack.ours(repo, number))
    assert "is for: maintain role" in stack.ours(repo, 1)[-1]
    assert not repo.dispatched
    repo.comment(1, "ada", "/warden release")
    stack.settle()
    assert len(repo.dispatched) == 1
