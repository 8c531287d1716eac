"""What GitHub may do to a server: lose answers, refuse, and repeat or shuffle what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.catalog import CHECKS
from bot.github.comment import MARKER
from tests.bot.serve.crashing import Nest, Patience, Server, serving
from tests.bot.serve.exact import exact, ours, runs, verdict
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.repository import Repository

EVERY = len(CHECKS) + 2  # of one attempt: each check, the policy, the summary

UNPINNED = {"requirements.txt": "requests\n" * 60}
PINNED = {"requirements.txt": "requests==2.32.0\n"}
CLEAN = {"notes.md": "# Notes\n"}
# In pairs: what strikes first must not let the request through.
LOST = (("500", "502-after-store"), ("503", "drop-after-store"), ("drop", "garbage"))
LIMITS = (("403-secondary", "429-bare"), ("403-secondary-bare", "403-primary"),
          ("401-expired", "slow"))  # fmt: skip
BROKEN = ("500", "503", "drop", "429-bare", "slow")  # of git's own way
# One of each: what makes, changes and reads runs and comments, and brings commits.
PLACES = (
    ("POST", "/check-runs$", 2), ("PATCH", "/check-runs/", 3), ("POST", "/comments$", 0),
    ("GET", "/check-runs$", 10), ("GET", "/compare/", 0), ("GET", "info/refs$", 0),
)  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        made.wait = 1  # seconds of a limit that is told
        yield made


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    made = hub.repository("acme/tiny", {"README.md": "# tiny\n", "LICENSE": "MIT License\n"})
    made.grant("ada", "maintain")
    made.grant("will", "write")
    return made


@pytest.fixture
def server(nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Server]:
    with serving(nest, hub, tmp_path) as made:
        yield made


@pytest.mark.parametrize("turn", range(3))
def test_every_fault_at_every_place(
    server: Server, hub: FakeGitHub, repo: Repository, turn: int
) -> None:
    """Over all turns each place meets each kind of fault, four at a time."""
    faults = []
    for number, (method, path, skip) in enumerate(PLACES):
        for kind in LIMITS[(turn + number) % 3] + LOST[(turn + number) % 3]:
            if path == "info/refs$" and kind not in BROKEN:
                continue
            if kind == "slow" and path in ("/comments$", "/compare/"):
                continue  # it is answered, and not asked again
            faults.append(hub.fault(method, path, kind, skip=skip))
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    server.settle(90)
    assert not [fault for fault in faults if fault.hits != 1]
    shown = runs(repo, pull.head)
    assert shown.pop("modelwarden") == shown.pop("modelwarden / dependencies") == "failure"
    assert set(shown.values()) == {"success", "skipped"} and len(shown) == len(CHECKS), shown
    failed = next(r for r in repo.runs.values() if r.name == "modelwarden / dependencies")
    assert len(failed.annotations) > 60
    (text,) = ours(hub, repo, pull.number)
    assert text.startswith(f"{MARKER}\n## ❌ FAIL")
    exact(server, hub, repo)


def test_limits_and_outages_park_the_job(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository
) -> None:
    """Longer than one request is patient; others go on meanwhile."""
    hub.wait = 6
    with serving(nest, hub, tmp_path, patience=Patience()) as server:
        faults = [
            hub.fault("POST", "/check-runs$", "403-secondary"),
            hub.fault("GET", "/compare/", "403-primary"),
            hub.fault("POST", "/comments$", "500", 4),
        ]
        pull = repo.pull(author="will", branch="x", files=CLEAN)
        server.settle(90)
        assert [fault.hits for fault in faults] == [1, 1, 4], faults
        assert verdict(repo, pull.head) == "success"
        assert len(ours(hub, repo, pull.number)) == 1
        exact(server, hub, repo)
        assert "parked by a rate limit" in server.log.read_text()


def test_a_token_that_ends_during_a_long_job(
    server: Server, hub: FakeGitHub, repo: Repository
) -> None:
    hub.slow = 2.0
    slow = [hub.fault("GET", "/compare/", "slow"), hub.fault("PATCH", "/check-runs/", "slow")]
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    for one in slow:
        wait_for(lambda one=one: bool(one.hits), "the long job")  # type: ignore[misc]
        hub.advance(3700)
    server.settle()
    assert verdict(repo, pull.head) == "success"
    assert "Bad credentials" not in server.log.read_text()
    exact(server, hub, repo)


@pytest.mark.parametrize("fresh", [False, True], ids=["same-id", "fresh-id"])
def test_deliveries_that_come_twice(
    server: Server, hub: FakeGitHub, repo: Repository, fresh: bool
) -> None:
    """As redelivered, or as told by a hook of the repository too."""
    hub.duplicate(20, fresh=fresh)
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    repo.comment(pull.number, "ada", "/warden explain dependencies/unpinned")
    pull.push(CLEAN)
    server.settle()
    assert len(ours(hub, repo, pull.number)) == 2
    run = next(r for r in repo.runs.values() if r.name == "modelwarden" and r.head_sha == pull.head)
    hub.rerequest(run.id, "ada")
    server.settle()
    assert len([r for r in repo.runs.values() if r.head_sha == pull.head]) == 2 * EVERY
    old = next(d for d in hub.deliveries if d.action == "opened")
    hub.hooks.again(old)
    hub.duplicate(1, fresh=True)
    repo.comment(pull.number, "ada", "never mind")
    server.settle()
    assert len([r for r in repo.runs.values() if r.head_sha == pull.head]) == 2 * EVERY
    assert len(ours(hub, repo, pull.number)) == 2
    exact(server, hub, repo)


@pytest.mark.parametrize("seed", range(2))
def test_deliveries_in_any_order(
    server: Server, hub: FakeGitHub, repo: Repository, seed: int
) -> None:
    hub.hold()
    hub.duplicate(3, fresh=True)
    pull = repo.pull(author="will", branch="x", files=UNPINNED)
    pull.close()
    pull.reopen()
    pull.push(PINNED)
    pull.draft()
    pull.ready()
    comments = [repo.comment(pull.number, "ada", "/warden check") for _ in range(2)]
    closed = repo.pull(author="will", branch="y", files=CLEAN)
    closed.close()
    hub.shuffle(seed)
    hub.release()
    server.settle()
    assert runs(repo, pull.head)["modelwarden / dependencies"] == "success"
    assert "in_progress" not in runs(repo, closed.head).values()
    assert len(ours(hub, repo, pull.number)) == 1 + len(comments)
    exact(server, hub, repo)


def test_a_late_delivery_ends_nothing(server: Server, hub: FakeGitHub, repo: Repository) -> None:
    """That it was closed arrives, by the sweep, when it is open again and under way."""
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    server.settle()
    hub.lose()
    pull.close()
    hub.flush()
    hub.slow = 3.0
    slow = hub.fault("GET", "/compare/", "slow")
    pull.reopen()
    wait_for(lambda: bool(slow.hits), "the judging to begin")
    hub.hooks.again(next(d for d in hub.deliveries if d.action == "closed"))
    server.settle()
    assert verdict(repo, pull.head) == "success"
    exact(server, hub, repo)


def test_commands_at_once_write_one_comment(
    server: Server, hub: FakeGitHub, repo: Repository
) -> None:
    """Attempts at the same commits meet at the comment and at each other's runs."""
    hub.slow = 1.0
    hub.fault("POST", "/comments$", "slow", 9)
    hub.fault("PATCH", "/check-runs/", "slow", 9)
    hub.hold()
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    for _ in range(4):
        repo.comment(pull.number, "ada", "/warden check")
    hub.release()
    server.settle(90)
    assert verdict(repo, pull.head) in ("success", "cancelled")
    assert "success" in {r.conclusion for r in repo.runs.values() if r.name == "modelwarden"}
    texts = ours(hub, repo, pull.number)
    assert len(texts) == 5 and sum(t.startswith(MARKER) for t in texts) == 1
    exact(server, hub, repo)
