"""Accepted deliveries reach the jobs, whoever is away meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.serve.contract import Delivery, Plain, Waiting
from bot.serve.errors import StoreError
from bot.serve.intake import BATCH, Intake
from bot.serve.records import Records
from tests.bot.jobsprocess import until


class Jobs:
    """Jobs that start once per key; `away` puts fail while it is above zero."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.away = 0
        self._lock = threading.Lock()

    def put(
        self, kind: str, key: str, payload: Mapping[str, Plain], *, author: int = 0, repo: int = 0
    ) -> None:
        with self._lock:
            if self.away:
                self.away -= 1
                raise StoreError("gone", "wait")
            assert (kind, dict(payload)) == ("deliver", {"event": "push"})
            if key not in self.started:
                self.started.append(key)

    def cancel(self, kind: str, key: str) -> None: ...

    def waiting(self) -> tuple[Waiting, ...]:
        return ()

    def alive(self, kind: str, key: str) -> bool:
        return key in self.started


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    store = Records(f"sqlite:///{tmp_path}/records.db")
    yield store
    store.close()


def accept(records: Records, *ids: str) -> None:
    for number, id in enumerate(ids):
        records.accept(Delivery(id, "push", b"{}", float(number)))


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
    assert records.waiting(9) == () and records.delivery("woken") is not None


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
    accept(records, "a", "b", "c")
    intake = Intake(records, jobs, every=0.02)
    intake.start()
    until(lambda: not records.waiting(9))
    intake.close()
    assert jobs.started == ["a", "b", "c"]


def test_those_before_a_failure_are_not_handed_again(records: Records) -> None:
    jobs = Jobs()
    accept(records, "a", "b")

    def put(kind: str, key: str, *_rest: object, **_named: object) -> None:
        if key == "b":
            raise StoreError("gone", "wait")
        jobs.started.append(key)

    jobs.put = put  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        Intake(records, jobs).hand_over()
    assert [delivery.id for delivery in records.waiting(9)] == ["b"]


def test_put_but_not_noted_is_put_again_harmlessly(records: Records) -> None:
    jobs = Jobs()
    accept(records, "a")
    jobs.put("deliver", "a", {"event": "push"})  # and then the process died
    assert Intake(records, jobs).hand_over() == 1
    assert jobs.started == ["a"] and records.waiting(9) == ()


def test_two_processes_hand_over_the_same(tmp_path: Path, records: Records) -> None:
    jobs = Jobs()
    ids = [f"d{number}" for number in range(2 * BATCH + 7)]
    accept(records, *ids)
    other = Records(f"sqlite:///{tmp_path}/records.db")
    intakes = [Intake(records, jobs, every=0.02), Intake(other, jobs, every=0.02)]
    for intake in intakes:
        intake.start()
    until(lambda: not records.waiting(9))
    for intake in intakes:
        intake.close()
    other.close()
    assert sorted(jobs.started) == sorted(ids)
