"""Databases and disks that go away, processes that take over, and the watchdog."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.serve.crashing import Nest, Patience, serving
from tests.bot.serve.exact import exact, once, ours, runs, verdict
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.repository import Repository
from tests.postgres import Postgres

CLEAN = {"notes.md": "# Notes\n"}
UNPINNED = {"requirements.txt": "requests\n" * 60}


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


def _redelivered(hub: FakeGitHub) -> None:
    """Do now what the sweep of the next hour does."""
    known = {d.guid for d in hub.deliveries if 200 <= d.status_code < 300}
    lost = {d.guid: d for d in hub.deliveries if d.guid not in known}
    for delivery in lost.values():
        hub.hooks.again(delivery)


def test_the_database_restarts_in_the_middle(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository, postgres: Postgres
) -> None:
    with serving(nest, hub, tmp_path, database=postgres.database()) as server:
        hub.slow = 1.0
        slow = hub.fault("POST", "/check-runs$", "slow", 2)
        pulls = [
            repo.pull(author="mallory", branch=f"x{n}", files=UNPINNED, fork=True) for n in range(2)
        ]
        wait_for(lambda: bool(slow.hits), "the jobs to begin")
        postgres.stop()
        repo.comment(1, "ada", "/warden explain dependencies/unpinned")
        hub.flush(40)
        postgres.start()
        _redelivered(hub)
        server.settle(90)
        assert [verdict(repo, pull.head) for pull in pulls] == ["failure", "failure"]
        assert [len(ours(hub, repo, pull.number)) for pull in pulls] == [2, 1]
        once(hub, repo)
        assert not server.failed()


@pytest.mark.parametrize("when", ["announce", "judge", "publish", "comment"])
def test_another_server_takes_over(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository, postgres: Postgres, when: str
) -> None:
    point = {
        "announce": ("POST", "/check-runs$", 4), "judge": ("GET", "info/refs$", 0),
        "publish": ("PATCH", "/check-runs/", 9), "comment": ("POST", "/comments$", 0),
    }[when]  # fmt: skip
    database = postgres.database()
    with serving(nest, hub, tmp_path, name="one", database=database) as one:
        fault = hub.fault(*point[:2], "call-after" if when != "judge" else "call-before",
                          skip=point[2], then=one.kill)  # fmt: skip
        pulls = [
            repo.pull(author="mallory", branch=f"x{n}", files=UNPINNED, fork=True) for n in range(2)
        ]
        hub.flush()
        with serving(nest, hub, tmp_path, name="two", database=database) as two:
            wait_for(lambda: bool(fault.hits), "the first to be killed")
            repo.comment(1, "ada", "/warden explain dependencies/unpinned")
            two.settle(90)
            assert [verdict(repo, pull.head) for pull in pulls] == ["failure", "failure"]
            assert [len(ours(hub, repo, pull.number)) for pull in pulls] == [2, 1]
            once(hub, repo)
            assert not two.failed() and not one.alive


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB, where this machine lets us make one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    asked = [mount or "mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    if mount is None or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(place: Path) -> Path:
    """Leave no room."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


def test_a_full_disk_under_the_database(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository, small: Path
) -> None:
    """What cannot be kept is not acknowledged, and comes again."""
    where = f"sqlite:///{small}/modelwarden.db"
    with serving(nest, hub, tmp_path, database=where) as server:
        first = repo.pull(author="will", branch="x", files=CLEAN)
        server.settle()
        filler = _fill(small)
        second = repo.pull(author="mallory", branch="y", files=UNPINNED, fork=True)
        repo.comment(first.number, "ada", "/warden explain dependencies/unpinned")
        hub.flush(60)
        filler.unlink()
        assert 503 in {d.status_code for d in hub.deliveries}
        assert server.alive
        _redelivered(hub)
        server.settle(90)
        assert verdict(repo, second.head) == "failure"
        assert len(ours(hub, repo, first.number)) == 2
        assert len(ours(hub, repo, second.number)) == 1
        once(hub, repo)
        assert not server.failed()


def test_a_full_disk_in_the_middle_of_a_job(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository, small: Path
) -> None:
    where = f"sqlite:///{small}/modelwarden.db"
    with serving(nest, hub, tmp_path, database=where) as server:
        hub.slow = 2.0
        slow = hub.fault("POST", "/check-runs$", "slow")
        pull = repo.pull(author="mallory", branch="y", files=UNPINNED, fork=True)
        wait_for(lambda: bool(slow.hits), "the job to begin")
        filler = _fill(small)
        wait_for(lambda: "full" in server.log.read_text(), "the server to notice")
        filler.unlink()
        server.settle(90)
        assert verdict(repo, pull.head) == "failure"
        assert len(ours(hub, repo, pull.number)) == 1
        once(hub, repo)


def test_a_full_disk_under_the_mirrors(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository, small: Path
) -> None:
    """A small disk is full from the beginning, by what stays free of it."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "mirrors").symlink_to(small)
    with serving(nest, hub, tmp_path) as server:
        pull = repo.pull(author="will", branch="x", files=CLEAN)
        server.settle()
        assert set(runs(repo, pull.head).values()) == {"failure"}
        run = next(r for r in repo.runs.values() if r.name == "modelwarden")
        assert run.summary and "disk of the mirrors is full" in run.summary
        (text,) = ours(hub, repo, pull.number)
        assert "could not be judged" in text and "disk of the mirrors is full" in text
        once(hub, repo)
        assert not server.failed()


def test_the_watchdog_concludes_what_killed_every_server(
    nest: Nest, tmp_path: Path, hub: FakeGitHub, repo: Repository
) -> None:
    """A job whose worker dies each time ends as a dead letter; its runs end as a failure."""
    patience = Patience(stale=2.0, often=1.0)
    with serving(nest, hub, tmp_path, patience=patience) as server:
        hub.fault("GET", "/compare/", "call-before", 99, then=server.kill)
        pull = repo.pull(author="will", branch="x", files=CLEAN)
        server.settle(90)
        assert server.kills >= 5 and server.failed() == 1
        ended = lambda: "in_progress" not in runs(repo, pull.head).values()  # noqa: E731
        wait_for(ended, "the watchdog")
        assert set(runs(repo, pull.head).values()) == {"failure"}
        run = next(r for r in repo.runs.values() if r.name == "modelwarden")
        assert run.summary and "What to do: re-run the check" in run.summary
        server.settle()
        once(hub, repo)
        hub.faults.clear()
        hub.rerequest(run.id, "ada")
        server.settle()
        assert verdict(repo, pull.head) == "success"
        exact(server, hub, repo, failed=1)
