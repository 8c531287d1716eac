"""The durable rows, over SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.github.values import Repo, Target
from bot.people import ClaSignature
from bot.serve.contract import Approval, Delivery, Event, Judged, Point, Run, Waived
from bot.serve.errors import StoreError, StoreSetup
from bot.serve.records import Records, inbox, runs
from tests.postgres import Postgres

REPO = Repo(5, "acme/tiny", 77, "main")
T = Target(REPO, 7, "a" * 40, "b" * 40)
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    store = Records(url)
    yield store
    store.close()


def test_a_delivery_is_kept_once_and_its_body_dropped(records: Records) -> None:
    first = Delivery("g1", "push", b"\x00{}" * 1000, 10.0)
    later = Delivery("g2", "push", b"", 5.0)
    assert records.accept(first) and records.accept(later)
    assert not records.accept(replace(first, body=b"other"))
    assert records.waiting(10) == (later, first)
    assert records.waiting(1) == (later,)
    assert records.delivery("g1") == first and records.delivery("g3") is None
    for _ in range(2):
        records.settled({"g1": "judged " + "x" * 1000, "unknown": "nothing"})
    assert records.waiting(10) == (later,)
    assert records.delivery("g1") is None
    assert not records.accept(first)
    assert records.notes(5) == (("g1", "push", ("judged " + "x" * 1000)[:500]),)


def test_old_rows_are_dropped_but_never_what_waits(records: Records) -> None:
    records.accept(Delivery("old", "push", b"{}", 10.0))
    records.accept(Delivery("waits", "push", b"{}", 10.0))
    records.settled({"old": "done"})
    records.note(Event(10.0, 5, 7, "mona", "waive", ""))
    records.opened(Run(T, "open", 1, 10.0))
    records.opened(Run(T, "done", 2, 10.0, "success"))
    assert records.prune(10.0 + 29 * 86400) == 0
    assert records.prune(11.0 + 400 * 86400) == 3
    assert records.waiting(5) == (Delivery("waits", "push", b"{}", 10.0),)
    assert records.events(5, 5) == ()
    assert [run.check for run in records.open_runs(5, 7)] == ["open"]
    assert records.accept(Delivery("old", "push", b"{}", 10.0))


def test_runs(records: Records) -> None:
    summary, dco = Run(T, "", 11, 20.0), Run(T, "dco", 12, 10.0)
    other = Run(replace(T, number=8), "", 13, 5.0)
    for run in (summary, dco, other, dco):
        records.opened(run)
    assert records.open_runs(5, 7) == (dco, summary)
    assert records.stale_runs(20.0) == (other, dco)
    assert records.run_named(f"{T.key}:dco") == dco
    assert records.run_named(f"{T.key}:") == summary
    assert records.run_named("else") is None
    records.concluded(T, "dco", "success")
    records.concluded(replace(T, attempt="c9"), "", "failure")  # another attempt
    assert records.open_runs(5, 7) == (summary,)
    assert records.run_named(f"{T.key}:dco") == replace(dco, conclusion="success")


def test_reports_are_kept_packed_and_few(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 14):
        target = replace(T, attempt=f"c{number}")
        for _ in range(2):
            records.keep(Judged(target, "static", b"%d" % number, "FAIL", "two", float(number)))
    records.keep(Judged(T, "measure", b"{}", "PASS", "one", 3.0))
    records.keep(Judged(replace(T, number=9), "static", b"{}", "PASS", "one", 50.0))
    kept = [records.judged(replace(T, attempt=f"c{n}"), "static") for n in range(1, 14)]
    assert [judged.report for judged in kept if judged] == [b"%d" % n for n in range(4, 14)]
    assert [(j.target.number, j.part, j.at) for j in records.latest(5, 10)] == [
        (9, "static", 50.0),
        (7, "static", 13.0),
        (7, "measure", 3.0),
    ]
    assert [j.at for j in records.latest(5, 10, 7)] == [13.0, 3.0]
    assert len(records.latest(5, 1)) == 1 and records.latest(6, 9) == ()
    monkeypatch.setattr(runs, "MAX_REPORT", 10)
    with pytest.raises(StoreError, match="11 bytes, more than 10"):
        records.keep(Judged(T, "static", b"x" * 11, "PASS", "", 1.0))


def test_repositories_go_by_their_newest_name(records: Records) -> None:
    records.opened(Run(T, "", 1, 1.0))
    records.know(Repo(9, "aa/unused", 1))
    records.know(Repo(8, "aa/measured", 1, "trunk"))
    records.measured((Point(8, "c" * 40, 1.0, "nll", 2.0),))
    renamed = replace(REPO, name="acme/small")
    records.opened(Run(replace(T, repo=renamed), "x", 1, 1.0))
    assert records.repos() == (Repo(8, "aa/measured", 1, "trunk"), renamed)
    assert records.open_runs(5, 7)[0].target.repo == renamed


def test_approvals_hold_for_these_commits_until_they_end(records: Records) -> None:
    leave = Approval(T, "regression", "smoke", 3, "mona", 100.0, 200.0)
    records.approve(leave)
    records.approve(leave)
    again = replace(T, attempt="c4")
    assert records.approval(again, "regression", 150.0) == replace(leave, target=again)
    for target in (replace(T, head="c" * 40), replace(T, base="c" * 40), replace(T, number=8)):
        assert records.approval(target, "regression", 150.0) is None
    assert records.approval(T, "other", 150.0) is None
    assert records.approval(T, "regression", 200.0) is None  # it ran out
    assert records.approval(T, "regression", 99.0) is None  # it was not given yet
    assert records.void(5, 7, "pushed", keep=T.head) == 0
    assert records.void(5, 7, "pushed", by=4) == 0
    assert records.void(5, 8, "pushed") == 0
    assert records.void(5, 7, "pushed") == 1
    assert records.void(5, 7, "pushed") == 0
    assert records.approval(T, "regression", 150.0) is None
    records.approve(replace(leave, at=160.0))
    assert records.approval(T, "regression", 170.0) is not None


def test_decisions(records: Records) -> None:
    waived = Waived(5, 7, "weights/pickle", "2027-01-01", "ours", 3, "mona", 99, 10.0, "a" * 40)
    records.waive(waived)
    records.waive(replace(waived, until="2028-01-01", at=11.0))
    assert records.waived(5, 7) == (replace(waived, until="2028-01-01", at=11.0),)
    assert records.waived(5, 8) == ()
    first = ClaSignature(3, "mona", "d" * 64, 99, "acme/tiny", "2026-01-01T00:00:00Z")
    records.sign(5, first)
    records.sign(5, replace(first, comment=100))  # the first stays
    assert records.signatures(5) == (first,) and records.signatures(6) == ()
    records.conflict(5, 7, 3)
    records.conflict(5, 7, 3)
    assert records.conflicted(5, 7, 3)
    assert not records.conflicted(5, 7, 4) and not records.conflicted(5, 8, 3)


def test_minutes_values_and_trail(records: Records) -> None:
    records.spend(T, 3, 1.5, 100.0)
    records.spend(T, 3, 1.5, 100.0)
    records.spend(replace(T, number=8), 4, 2.0, 110.0)
    assert records.spent(since=0.0) == records.spent(repo=5, since=100.0) == 3.5
    assert records.spent(author=3, since=0.0) == 1.5
    assert records.spent(repo=6, since=0.0) == records.spent(repo=5, since=111.0) == 0.0
    assert records.past_minutes(5, 5) == (1.5, 2.0) and records.past_minutes(5, 1) == (2.0,)
    old, new = Point(5, "a" * 40, 1.0, "nll", 2.5), Point(5, "b" * 40, 2.0, "nll", 2.0, 1.5, 2.5)
    records.measured((new, old))
    records.measured((old,))
    assert records.points(5, 9) == (old, new) and records.points(5, 1) == (new,)
    events = (
        Event(1.0, 5, 7, "mona", "waive", "x"),
        Event(2.0, 5, 0, "warden", "push", "y" * 9000),
    )
    for event in events * 2:
        records.note(event)
    assert records.events(5, 9) == (replace(events[1], detail="y" * 2000), events[0])


def test_leases_and_workers(records: Records) -> None:
    assert records.lease("upkeep", "a", 10.0, 1.0)
    assert not records.lease("upkeep", "b", 11.0, 2.0)
    assert records.lease("upkeep", "a", 20.0, 3.0)
    records.release("upkeep", "b")
    assert not records.lease("upkeep", "b", 30.0, 19.0)
    assert records.lease("upkeep", "b", 30.0, 20.0)  # it ran out
    records.release("upkeep", "b")
    assert records.lease("upkeep", "c", 40.0, 21.0)
    records.beat("w1", "web", 1.0)
    records.beat("w2", "gpu", 1.0)
    records.beat("w1", "web, gpu", 5.0)
    assert records.dead(5.0) == ("w2",)
    assert records.workers() == (("w1", "web, gpu", 5.0), ("w2", "gpu", 1.0))
    records.buried("w2")
    records.buried("w2")
    assert records.dead(9.0) == ("w1",)


def test_one_of_many_leases_the_same(url: str) -> None:
    stores = [Records(url) for _ in range(4)]
    got: list[bool] = []
    go = threading.Barrier(len(stores))

    def take(number: int) -> None:
        go.wait()
        got.append(stores[number].lease("upkeep", str(number), 10.0, 1.0))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(got) == [False, False, False, True]


CRASH = """
import os, signal, sys, threading
from bot.serve.contract import Delivery
from bot.serve.records import Records
records = Records(sys.argv[1])
def accept(worker):
    for number in range(100):
        if worker == 7 and number == 60:
            os.kill(os.getpid(), signal.SIGKILL)
        if records.accept(Delivery(f"{worker}-{number}", "push", b"{}", 1.0)):
            os.write(1, f"{worker}-{number}\\n".encode())
threads = [threading.Thread(target=accept, args=(worker,)) for worker in range(8)]
for thread in threads: thread.start()
"""


def test_what_was_accepted_by_a_killed_process_is_there(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    said = done.stdout.split()
    records = Records(url)
    kept = {delivery.id for delivery in records.waiting(1000)}
    assert len(said) > 60 and len(said) == len(set(said)) and kept >= set(said)
    assert not any(records.accept(Delivery(id, "push", b"{}", 1.0)) for id in said)
    records.close()


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    records = Records(f"sqlite:///{tmp_path}/records.db")
    with records.write() as c:
        c.exec_driver_sql("PRAGMA max_page_count = 60")
    accepted = []
    with pytest.raises(StoreError, match="the disk is full") as caught:
        for number in range(1000):
            body = bytes(range(256)) * number
            if records.accept(Delivery(str(number), "push", body, float(number))):
                accepted.append(str(number))
    assert "free space" in caught.value.hint
    assert [d.id for d in records.waiting(1000)] == accepted and len(accepted) > 5
    records.close()
    again = Records(f"sqlite:///{tmp_path}/records.db")  # the limit was of the connection
    assert again.accept(Delivery("new", "push", b"x" * 9000, 1e6))
    assert [d.id for d in again.waiting(1000)] == [*accepted, "new"]


def test_a_database_that_is_away_is_said_without_its_password(postgres: Postgres) -> None:
    url = postgres.database()
    records = Records(url)
    assert "hunter2" not in repr(records) and "warden:***@" in repr(records)
    postgres.stop()
    try:
        for act in (records.ping, lambda: records.accept(Delivery("g", "push", b"sekrit", 1.0))):
            with pytest.raises(StoreError, match="does not answer") as caught:
                act()
            said = f"{caught.value} {caught.value.hint} {caught.value.__context__}"
            assert "hunter2" not in said and "sekrit" not in said
        with pytest.raises(StoreError):
            Records(url)
    finally:
        postgres.start()
    records.ping()
    assert records.accept(Delivery("g", "push", b"sekrit", 1.0))
    records.close()


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:hunter2@h/db",
        "postgresql://u:hunter2@host",
        "postgresql://u:hunter2@host:port/x",
    ],
)
def test_an_address_that_cannot_be_used(address: str) -> None:
    with pytest.raises(StoreSetup) as caught:
        Records(address)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}" and caught.value.hint


def test_a_file_that_is_no_database_or_may_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello " * 1000)
    with pytest.raises(StoreError, match="is damaged"):
        Records(f"sqlite:///{tmp_path}/x")
    with pytest.raises((StoreError, StoreSetup)):
        Records(f"sqlite:///{tmp_path}/x/y/records.db")


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    Records(url).close()
    with closing(sqlite3.connect(tmp_path / "records.db")) as c:
        c.execute("UPDATE warden_schema SET version = 99")
        c.commit()
    with pytest.raises(StoreSetup, match="schema 99") as caught:
        Records(url)
    assert "upgrade" in caught.value.hint


def test_deliveries_wait_together_for_one_disk(tmp_path: Path) -> None:
    """Those that come while another is written are written by one transaction."""
    records = Records(f"sqlite:///{tmp_path}/records.db")
    commits = []
    write = records._write_waiting

    def counted() -> None:
        commits.append(1)
        write()

    records._write_waiting = counted  # type: ignore[method-assign]
    with records._writing:  # as if one were being written
        threads = [
            threading.Thread(target=records.accept, args=(Delivery(str(n), "push", b"", 1.0),))
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        while len(records._queue) < 20:
            pass
    for thread in threads:
        thread.join()
    assert len(commits) == 1 and len(records.waiting(99)) == 20
    assert inbox.REMEMBERED >= 30 * 86400
