"""Kill -9 of a server at each step of each kind of job: one of everything, and nothing lost.

The GitHub of the tests kills it when a request arrives, when it has stored what was asked for, or
a moment after it has answered; it is started again at once and goes on with what it finds.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.catalog import CHECKS
from bot.github.comment import MARKER
from tests.bot.serve.crashing import Nest, Server, serving
from tests.bot.serve.exact import exact, ours, runs, verdict
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.faults import Fault
from tests.githubfake.repository import Repository

EVERY = len(CHECKS) + 2  # of one attempt: each check, the policy, the summary

UNPINNED = {"requirements.txt": "requests\n" * 60}
PINNED = {"requirements.txt": "requests==2.32.0\n"}
CLEAN = {"notes.md": "# Notes\n"}
CREATE, END = ("POST", "/check-runs$"), ("PATCH", "/check-runs/")
COMMENT, EDIT = ("POST", "/issues/1/comments$"), ("PATCH", "/issues/comments/")
LISTED, PULL = ("GET", "/issues/1/comments$"), ("GET", "/pulls/1$")
RUNS, COMPARE = ("GET", "/commits/[0-9a-f]+/check-runs$"), ("GET", "/compare/")
REFS, PACK = ("GET", "info/refs$"), ("POST", "git-upload-pack$")
Point = tuple[tuple[str, str], str, int]  # which request, when, and how many before it


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
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


def deadly(server: Server, *points: Point) -> list[Fault]:
    """Let the server die at each of these requests."""
    return [
        server.hub.fault(*which, f"call-{when}", skip=skip, then=server.kill)
        for which, when, skip in points
    ]


def struck(server: Server, faults: list[Fault]) -> None:
    """Wait for the end of all jobs, and see that the server died each time it should."""
    server.settle()
    assert [fault.hits for fault in faults] == [1] * len(faults), faults
    assert server.kills >= len(faults)


JUDGE: tuple[tuple[Point, ...], ...] = (
    ((PULL, "before", 0), (CREATE, "after", 0), (CREATE, "soon", 3)),
    ((CREATE, "before", 1), (CREATE, "after", 7), (COMPARE, "before", 0)),
    ((REFS, "before", 0), (PACK, "before", 1), (PACK, "soon", 3)),
    ((END, "soon", 0), (END, "after", 2), (END, "before", 5)),
    ((END, "after", 8), (LISTED, "before", 0), (COMMENT, "before", 0)),
    ((COMMENT, "after", 0), (LISTED, "before", 1), (RUNS, "before", 10)),
)


@pytest.mark.parametrize("points", JUDGE, ids=lambda points: f"{points[0][0][1]}-{points[0][1]}")
def test_judging(
    server: Server, hub: FakeGitHub, repo: Repository, points: tuple[Point, ...]
) -> None:
    faults = deadly(server, *points)
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    struck(server, faults)
    shown = runs(repo, pull.head)
    assert shown.pop("modelwarden") == shown.pop("modelwarden / dependencies") == "failure"
    assert set(shown.values()) == {"success", "skipped"} and len(shown) == len(CHECKS), shown
    failed = next(r for r in repo.runs.values() if r.name == "modelwarden / dependencies")
    assert len(failed.annotations) > 60  # more than one request carries
    (text,) = ours(hub, repo, pull.number)
    assert text.startswith(f"{MARKER}\n## ❌ FAIL")
    exact(server, hub, repo)


@pytest.mark.parametrize(
    "points",
    [
        ((EDIT, "before", 0), (END, "after", 2)),
        ((EDIT, "after", 0), (PULL, "before", 1)),
        ((EDIT, "soon", 0), (CREATE, "soon", 0)),
    ],
    ids=["before", "after", "soon"],
)
def test_a_push(
    server: Server, hub: FakeGitHub, repo: Repository, points: tuple[Point, ...]
) -> None:
    pull = repo.pull(author="will", branch="x", files=UNPINNED)
    server.settle()
    faults = deadly(server, *points)
    pull.push(PINNED)
    struck(server, faults)
    assert runs(repo, pull.head)["modelwarden / dependencies"] == "success"
    (text,) = ours(hub, repo, pull.number)
    assert f"Head <code>{pull.head[:12]}" in text
    exact(server, hub, repo)


@pytest.mark.parametrize(
    "points",
    [
        ((("GET", "/issues/comments/"), "before", 0), (("GET", "/permission$"), "before", 0),
         (COMMENT, "after", 0)),
        ((COMMENT, "before", 0), (REFS, "before", 1), (EDIT, "after", 0)),
        ((COMMENT, "soon", 0), (CREATE, "after", 0), (END, "after", 4)),
    ],
    ids=["decide", "answer", "judged-again"],
)  # fmt: skip
def test_a_command(
    server: Server, hub: FakeGitHub, repo: Repository, points: tuple[Point, ...]
) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    server.settle()
    faults = deadly(server, *points)
    until = (datetime.now(UTC) + timedelta(days=20)).date()
    line = f"/warden waive dependencies/unpinned until {until} because the lock pins it"
    repo.comment(pull.number, "ada", line)
    struck(server, faults)
    assert verdict(repo, pull.head) == "success"
    sticky, answer = ours(hub, repo, pull.number)
    assert sticky.startswith(f"{MARKER}\n## ✅ PASS") and "waived" in answer.lower()
    exact(server, hub, repo)


@pytest.mark.parametrize("when", ["before", "after", "soon"])
def test_a_stop(server: Server, hub: FakeGitHub, repo: Repository, when: str) -> None:
    hub.slow = 4.0
    slow = hub.fault("GET", "/compare/", "slow")
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    wait_for(lambda: bool(slow.hits), "the judging to begin")
    faults = deadly(server, (END, when, 0), (END, when, 5))
    pull.close()
    struck(server, faults)
    assert set(runs(repo, pull.head).values()) == {"cancelled"}
    exact(server, hub, repo)
    pull.reopen()
    server.settle()
    assert verdict(repo, pull.head) == "success"
    exact(server, hub, repo)


@pytest.mark.parametrize(
    "points",
    [
        ((("GET", "/pulls$"), "before", 0), (("GET", "/permission$"), "before", 0)),
        ((CREATE, "after", 0), (END, "before", 0), (END, "soon", 8)),
    ],
    ids=["ask", "judge"],
)
def test_a_re_run(
    server: Server, hub: FakeGitHub, repo: Repository, points: tuple[Point, ...]
) -> None:
    pull = repo.pull(author="mallory", branch="x", files=CLEAN, fork=True)
    server.settle()
    first = next(r for r in repo.runs.values() if r.name == "modelwarden")
    faults = deadly(server, *points)
    hub.rerequest(first.id, "ada")
    struck(server, faults)
    assert len(repo.runs) == 2 * EVERY and verdict(repo, pull.head) == "success"
    exact(server, hub, repo)


@pytest.mark.parametrize("seed", range(1))
def test_at_any_time(server: Server, hub: FakeGitHub, repo: Repository, seed: int) -> None:
    """Three pull requests, one pushed to, one asked about; four deaths at random moments."""
    chance = random.Random(seed)
    pulls = [
        repo.pull(author="mallory", branch=f"x{n}", files=UNPINNED, fork=True) for n in range(3)
    ]
    stop = threading.Event()

    def shoot() -> None:
        for _ in range(4):
            if stop.wait(chance.uniform(0.3, 1.8)):
                return
            server.kill()

    thread = threading.Thread(target=shoot)
    thread.start()
    try:
        pulls[0].push(PINNED)
        comment = repo.comment(pulls[1].number, "ada", "/warden explain dependencies/unpinned")
        while thread.is_alive():
            if not server.alive:
                server.again()
            thread.join(0.02)
    finally:
        stop.set()
        thread.join()
    server.settle()
    lost = [d for d in hub.deliveries if not 200 <= d.status_code < 300]
    for delivery in lost:  # what the sweep of the next hour would do
        hub.hooks.again(delivery)
    server.settle()
    assert runs(repo, pulls[0].head)["modelwarden / dependencies"] == "success"
    assert {verdict(repo, pull.head) for pull in pulls[1:]} == {"failure"}
    assert [len(ours(hub, repo, pull.number)) for pull in pulls] == [1, 2, 1]
    assert comment.id in repo.comments
    exact(server, hub, repo)
