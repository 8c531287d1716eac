"""Two who write the ledger at once, and writers that are killed: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from registry.errors import Lost
from registry.release.ledger import Ledger
from tests.bot.releasing.clones import BRANCH, Shared, book, claim, claimed, git, refs
from tests.gitrepo import Repo
from tests.ledgers import promote

LOCAL, SEEN = f"refs/heads/{BRANCH}", f"refs/modelwarden/seen/{BRANCH}"
WRITER = Path(__file__).with_name("appending.py")


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def at_once(count: int, work: Callable[[int], Ledger]) -> tuple[list[Ledger], list[Lost]]:
    """Do the work in threads that begin together; return what came of it."""
    barrier = Barrier(count)

    def one(number: int) -> Ledger | Lost:
        barrier.wait()
        try:
            return work(number)
        except Lost as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(one, range(count)))
    return [x for x in found if isinstance(x, Ledger)], [x for x in found if isinstance(x, Lost)]


@pytest.mark.parametrize("begun", [False, True], ids=["first", "later"])
def test_one_of_many_clones_wins(begun: bool, shared: Shared) -> None:
    names = ["alice", "bob", "carol", "dora"]
    repos = [shared.clone(name) for name in names]
    if begun:
        claim(book(repos[0]), "0.1", shared.commit)
    heads = [book(repo).ledger().head for repo in repos]

    def work(number: int) -> Ledger:
        new = claimed("1.0.0", shared.commit, f"run-{number}", names[number])
        return book(repos[number]).append([new], {}, expect=heads[number])

    won, lost = at_once(4, work)
    assert (len(won), len(lost)) == (1, 3)
    (winner,) = (one for one in book(repos[0]).ledger().claims if one.version == "1.0.0")
    for error in lost:
        said = f"1.0.0 is being released by {winner.actor} since {winner.since} "
        assert said + f"(run {winner.holder})" in error.message
    for repo in repos:
        assert book(repo).ledger().head == won[0].head
        assert refs(repo.path)[LOCAL] == shared.refs()[LOCAL]


@pytest.mark.parametrize("remote", ["origin", ""])
def test_one_of_many_in_one_clone_wins(remote: str, shared: Shared) -> None:
    alice = shared.clone("alice")
    head = claim(book(alice, remote), "0.1", shared.commit).head

    def work(number: int) -> Ledger:
        new = claimed("1.0.0", shared.commit, f"run-{number}")
        return book(alice, remote).append([new], {}, expect=head)

    won, lost = at_once(4, work)
    assert (len(won), len(lost)) == (1, 3)
    assert all("1.0.0 is being released by alice" in error.message for error in lost)
    assert book(alice, remote).ledger().head == won[0].head


def test_one_promotion_wins(shared: Shared) -> None:
    from tests.bot.releasing.clones import out

    repos = [shared.clone(name) for name in ("alice", "bob")]
    for version in ("1", "2"):
        out(book(repos[0]), version, shared.commit)
    heads = [book(repo).ledger().head for repo in repos]

    def work(number: int) -> Ledger:
        return book(repos[number]).append([promote(str(number + 1))], {}, expect=heads[number])

    won, lost = at_once(2, work)
    assert (len(won), len(lost)) == (1, 1)
    there = won[0].aliases[0].version
    assert f"champion of acme/small points at {there} since" in lost[0].message
    tags = [name for name in shared.refs() if "#" in name]
    assert tags == ["refs/tags/acme-small#champion#1"]


def write(
    repo: Repo, shared: Shared, *versions: str, holder: str = "run-1"
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", str(WRITER), str(repo.path), holder, shared.commit, *versions],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said


def whole(shared: Shared, repo: Repo, *versions: str) -> None:
    """All versions are out once, with their tags; the clone is where the remote is."""
    at = book(repo)
    ledger = at.ledger()
    assert sorted(one.version for one in ledger.issued) == sorted(versions)
    assert ledger.claims == ()
    assert at.moved(ledger) == ()
    there = shared.refs()
    assert refs(repo.path)[LOCAL] == refs(repo.path)[SEEN] == there[LOCAL]
    assert sum(name.startswith("refs/tags/") for name in there) == len(versions)
    for one in ledger.issued:
        assert at.document(one.artifact, one.version).version == one.version
    git(repo.path, "fsck", "--strict", "--connectivity-only")


def test_processes_that_write_on(shared: Shared) -> None:
    alice, bob = shared.clone("alice"), shared.clone("bob")
    mine, theirs = ("1.1", "1.2"), ("2.1", "2.2")
    running = [write(alice, shared, *mine), write(bob, shared, *theirs, holder="run-2")]
    for process in running:
        finish(process)
    whole(shared, alice, *mine, *theirs)
    whole(shared, bob, *mine, *theirs)


@pytest.mark.parametrize("hook", ["pre-receive", "update", "post-receive", "post-update"])
def test_killed_in_a_push(hook: str, shared: Shared) -> None:
    alice = shared.clone("alice")
    claim(book(alice), "0.1", shared.commit)
    path = shared.bare / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    # Once only: the writer dies, and what it started with it.
    path.write_text(f'#!/bin/sh\nkill -9 $(cat "{alice.path}/pid")\nsleep 0.2\nrm -f "$0"\n')
    path.chmod(0o755)
    process = write(alice, shared, "1.0.0")
    process.communicate(timeout=60)
    assert process.returncode == -9
    arrived = hook in ("post-receive", "post-update")
    for _ in range(50):  # the remote's end of the push may live a little longer
        if not path.exists():
            break
        time.sleep(0.1)
    path.unlink(missing_ok=True)
    versions = [one.version for one in book(alice).ledger().claims]
    assert versions[0] == "0.1"
    assert versions[1:] == ["1.0.0"] or not arrived
    assert refs(alice.path)[LOCAL] == shared.refs()[LOCAL]
    finish(write(alice, shared, "0.1", "1.0.0"))
    whole(shared, alice, "0.1", "1.0.0")


def test_killed_at_any_time(shared: Shared) -> None:
    alice, bob = shared.clone("alice"), shared.clone("bob")
    chance = random.Random(7)
    versions = ("1", "2", "3")
    killed = 0
    for _ in range(6):
        process = write(alice, shared, *versions)
        while not (alice.path / "pid").exists() and process.poll() is None:
            time.sleep(0.01)
        try:
            process.communicate(timeout=chance.random() * 0.4)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        for lock in (alice.path / ".git").rglob("*.lock"):
            lock.unlink()  # as the message of a later run says
        book(bob).ledger()
    assert killed
    finish(write(alice, shared, *versions))
    whole(shared, alice, *versions)
    whole(shared, bob, *versions)
