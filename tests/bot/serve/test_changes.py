"""What changes at GitHub while a job is under way, and what becomes of what was begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.serve.crashing import Nest, Patience, Server, serving
from tests.bot.serve.exact import exact, once, ours, runs, verdict
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.faults import Fault
from tests.githubfake.repository import Repository

CLEAN = {"notes.md": "# Notes\n"}
SOON = Patience(stale=2.0, often=1.0)  # the watchdog looks at once


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        made.slow = 2.0
        yield made


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    made = hub.repository("acme/tiny", {"README.md": "# tiny\n", "LICENSE": "MIT License\n"})
    made.grant("will", "write")
    return made


@pytest.fixture
def server(nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Server]:
    with serving(nest, hub, tmp_path, patience=SOON) as made:
        yield made


def _reached(fault: Fault) -> None:
    wait_for(lambda: bool(fault.hits), "the job to get there")


PLACES = (("GET", "/pulls/1$"), ("POST", "/check-runs$"), ("GET", "/compare/"), ("PATCH", "/runs/"))


@pytest.mark.parametrize("place", PLACES[:3], ids=["look", "announce", "judge"])
def test_suspended_in_the_middle(
    server: Server, hub: FakeGitHub, repo: Repository, place: tuple[str, str]
) -> None:
    slow = hub.fault(*place, "slow")
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    _reached(slow)
    hub.suspend("acme")
    server.settle()
    assert verdict(repo, pull.head) != "success"
    hub.suspend("acme", False)
    wait_for(lambda: verdict(repo, pull.head) in ("success", "failure"), "a conclusion")
    wait_for(lambda: "in_progress" not in runs(repo, pull.head).values(), "the others")
    server.settle()
    once(hub, repo)


def test_uninstalled_in_the_middle(server: Server, hub: FakeGitHub, repo: Repository) -> None:
    slow = hub.fault("GET", "/compare/", "slow")
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    _reached(slow)
    hub.uninstall("acme")
    server.settle()
    wait_for(lambda: not list((server.folder / "mirrors").glob("*.git")), "the mirror to go")
    hub.install(repo)
    wait_for(lambda: verdict(repo, pull.head) in ("success", "failure"), "a conclusion")
    wait_for(lambda: "in_progress" not in runs(repo, pull.head).values(), "the others")
    server.settle()
    once(hub, repo)


@pytest.mark.parametrize("place", PLACES[:3], ids=["look", "announce", "judge"])
def test_renamed_in_the_middle(
    server: Server, hub: FakeGitHub, repo: Repository, place: tuple[str, str]
) -> None:
    slow = hub.fault(*place, "slow")
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    _reached(slow)
    hub.rename(repo, "renamed")
    server.settle()
    assert verdict(repo, pull.head) == "success"
    assert len(ours(hub, repo, pull.number)) == 1
    exact(server, hub, repo)
    pull.push({"more.md": "# More\n"})
    server.settle()
    assert verdict(repo, pull.head) == "success"
    assert len(ours(hub, repo, pull.number)) == 1


def test_a_fork_that_goes_in_the_middle(server: Server, hub: FakeGitHub, repo: Repository) -> None:
    slow = hub.fault("POST", "/check-runs$", "slow")
    pull = repo.pull(author="mallory", branch="x", files=CLEAN, fork=True)
    _reached(slow)
    hub.delete(pull.repository)
    server.settle()
    assert verdict(repo, pull.head) == "success"
    exact(server, hub, repo)
