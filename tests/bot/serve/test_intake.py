"""Accepted deliveries are settled, whoever is away meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.serve.contract import Delivery
from bot.serve.errors import StoreError
from bot.serve.intake import BATCH, Intake
from bot.serve.records import Records
from tests.bot.jobsprocess import until


class Jobs:
    """Jobs that start once per delivery; `away` deliveries fail while it is above zero."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.away = 0
        self._lock = threading.Lock()

    def __call__(self, delivery: Delivery) -> str:
        with self._lock:
            if self.away:
                self.away -= 1
                raise StoreError("gone", "wait")
            if delivery.event == "odd":
                raise KeyError("a mistake of ours")
            if delivery.id not in self.started:
                self.started.append(delivery.id)
            return f"job {delivery.id}"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    store = Records(f"sqlite:///{tmp_path}/records.db")
    yield store
    store.close()


def accept(records: Records, *ids: str, event: str = "push") -> None:
    for number, id in enumerate(ids):
        records.accept(Delivery(id, event, b"{}", float(number)))


def test_woken_and_found(records: Records) -> None:
    jobs = Jobs()
    accept(records, "left over by a crash")
    intake = Intake(records, jobs, every=60)
    intake.start()
    until(lambda: len(jobs.started) == 1)
    accept(records, "woken")
    intake.wake()
    until(lambda: len(jobs.started) == 2)
    intake.close()
    assert records.waiting(9) == () and records.delivery("woken") is None
    assert ("woken", "push", "job woken") in records.notes(9)


def test_what_another_process_accepted_is_found_without_being_woken(records: Records) -> None:
    jobs = Jobs()
    intake = Intake(records, jobs, every=0.02)
    intake.start()
    accept(records, "elsewhere")
    until(lambda: jobs.started == ["elsewhere"])
    intake.close()


def test_nothing_is_lost_while_the_jobs_are_away(records: Records) -> None:
    jobs = Jobs()
    jobs.away = 3
    accept(records, "a", "b")
    intake = Intake(records, jobs, every=0.02)
    intake.start()
    until(lambda: jobs.started == ["a", "b"])
    intake.close()


def test_those_before_a_failure_are_settled(records: Records) -> None:
    jobs = Jobs()

    def breaks_at_b(delivery: Delivery) -> str:
        if delivery.id == "b":
            raise StoreError("gone", "wait")
        return jobs(delivery)

    accept(records, "a", "b", "c")
    with pytest.raises(StoreError):
        Intake(records, breaks_at_b).hand_over()
    assert [d.id for d in records.waiting(9)] == ["b", "c"]


def test_a_crash_before_it_was_noted_starts_nothing_twice(records: Records) -> None:
    jobs = Jobs()
    accept(records, "a")
    jobs(records.waiting(1)[0])  # and then the process died
    assert Intake(records, jobs).hand_over() == 1
    assert jobs.started == ["a"]


def test_one_that_breaks_holds_up_no_other(
    records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = Jobs()
    accept(records, "first", event="odd")
    accept(records, "second")
    with caplog.at_level(logging.CRITICAL):
        assert Intake(records, jobs).hand_over() == 2
    assert jobs.started == ["second"] and not records.waiting(9)
    assert any("broke with KeyError" in note for _, _, note in records.notes(9))


def test_two_processes_settle_the_same_inbox(records: Records, tmp_path: Path) -> None:
    jobs, other = Jobs(), Records(f"sqlite:///{tmp_path}/records.db")
    intakes = [Intake(records, jobs, every=0.02), Intake(other, jobs, every=0.02)]
    for intake in intakes:
        intake.start()
    ids = [f"d{n}" for n in range(2 * BATCH + 5)]
    accept(records, *ids)
    until(lambda: not records.waiting(1))
    for intake in intakes:
        intake.close()
    assert sorted(jobs.started) == sorted(ids)
    other.close()
