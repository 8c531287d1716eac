"""Durable jobs in real processes that are killed, over SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import collections
import pickle
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bot.jobsprocess import Worker, until
from tests.postgres import Postgres

Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start workers, all of one installation, and end them with the test."""
    workers = []

    def start(url: str = "", **options: Any) -> Worker:
        workers.append(Worker(tmp_path, url, **options))
        return workers[-1]

    yield start
    for worker in workers:
        if worker._process.poll() is None:
            worker.die()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def ended(worker: Worker, kind: str, *keys: str) -> Callable[[], bool]:
    return lambda: not any(worker.ask("alive", kind, key) for key in keys)


@pytest.mark.parametrize(("kind", "step"), [("judge", "a"), ("judge", "c"), ("measure", "b")])
def test_killed_at_every_point_of_a_step(
    kind: str, step: str, url: str, start: Start, tmp_path: Path
) -> None:
    trail = tmp_path / "trail"
    points = [f"before-{step}", f"after-{step}", f"between-{step}"]
    worker = start(url)
    name = worker.name
    worker.ask("put", kind, "k", {"file": str(trail), "steps": "a b c", "die": " ".join(points)})
    for _ in points:
        assert worker.wait_dead() == -9
        worker = start(url)
        assert worker.name == name
    until(ended(worker, kind, "k"))
    # Twice only where the effect was there and its record was not.
    twice = {step: 2}
    want = [f"k {name}" for name in "abc" for _ in range(twice.get(name, 1))] + ["k said a b c"]
    assert lines(trail) == want
    assert worker.ask("dead_letters") == []
    worker.end()


def test_two_puts_start_once(url: str, start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    workers = [start(url), start(url)]
    assert workers[0].name != workers[1].name
    payload = {"file": str(trail), "steps": "a"}
    for _ in range(3):
        for worker in workers:
            worker.ask("put", "judge", "k", payload)
            worker.ask("put", "measure", "k", payload, author=1, repo=1)
    until(ended(workers[0], "judge", "k"))
    until(ended(workers[0], "measure", "k"))
    workers[1].ask("put", "judge", "k", payload)  # it ended: still known
    assert not workers[1].ask("alive", "judge", "k")
    assert collections.Counter(lines(trail)) == {"k a": 2, "k said a": 2}


@pytest.mark.parametrize("limits", [{}, {"worker": 2, "author": 1, "repo": 2}])
def test_places_at_the_gpu_are_never_exceeded(
    limits: dict[str, int], url: str, start: Start, tmp_path: Path
) -> None:
    trail = tmp_path / "trail"
    options = {"only": ["gpu"], "limits": limits, "busy": True}
    workers = [start(url, **options), start(url, **options)]
    keys = []
    for author in (1, 2, 3):
        for repo in (1, 2):
            for again in (1, 2):
                keys.append(f"{author}-{repo}-{again}")
                payload = {"file": str(trail), "author": author, "repo": repo}
                workers[0].ask("put", "measure", keys[-1], payload, author=author, repo=repo)
    until(ended(workers[0], "measure", *keys))
    seen = lines(trail)
    assert len(seen) == 2 * len(keys)
    for part, place in enumerate(("author", "repo", "worker")):
        running: collections.Counter[str] = collections.Counter()
        for line in seen:
            what, *who = line.split()
            running[who[part]] += 1 if what == "start" else -1
            assert running[who[part]] <= limits.get(place, 1), (place, line)
    assert len({line.split()[3] for line in seen}) == 2  # both had work


def test_a_dead_workers_job_is_taken_over(url: str, start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    dying = start(url)
    keys = ["judge k1", "judge k2", "measure k3"]
    for key in keys:
        payload = {"file": str(trail), "steps": "a b c", "nap": 0.2}
        payload |= {"die": "after-b"} if key == "judge k2" else {}
        dying.ask("put", *key.split(), payload)
    assert dying.wait_dead() == -9
    other = start(url, folder="elsewhere", dead=2)
    assert other.name != dying.name
    for key in keys:
        until(ended(other, *key.split()))
    counts = collections.Counter(lines(trail))
    for key in ("k1", "k2", "k3"):
        assert counts[f"{key} said a b c"] == 1
        assert counts[f"{key} a"] <= 2
    assert counts["k2 b"] == 2  # its record was not there yet
    assert counts["k2 a"] == 1  # its record was


def test_the_queue_is_told_and_cancelled(url: str, start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    web = start(url, only=["web"])
    payload = {"file": str(trail), "steps": "a b c d e f", "nap": 0.3, "about": "acme/tiny#7"}
    for key in ("m1", "m2", "m3"):
        web.ask("put", "measure", key, payload, author=1, repo=1)
    web.ask("put", "judge", "j", payload | {"nap": 0})
    until(ended(web, "judge", "j"))
    assert [row[:4] for row in web.ask("waiting")] == [  # nobody takes GPU jobs here
        ["m1", "measure", "gpu", 1],
        ["m2", "measure", "gpu", 2],
        ["m3", "measure", "gpu", 3],
    ]
    gpu = start(url, only=["gpu"])
    until(lambda: web.ask("waiting")[0][3] == 0)
    row = web.ask("waiting")[0]
    assert row[0] == "m1" and row[5:] == ["acme/tiny#7", gpu.name]
    until(lambda: "m1 a" in lines(trail))
    for key in ("m1", "m2", "unknown"):
        web.ask("cancel", "measure", key)  # one runs, one waits, one never was
        assert not web.ask("alive", "measure", key)
    until(ended(web, "measure", "m3"))
    seen = lines(trail)
    assert "m3 said a b c d e f" in seen
    assert "m1 said a b c d e f" not in seen and "m1 f" not in seen
    assert not [line for line in seen if line.startswith("m2 ")]
    assert web.ask("dead_letters") == []


def test_errors_of_github_are_waited_for_or_met_again(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "said"
    worker = start(attempts=1)
    worker.ask("put", "grumpy", "k", {"file": str(file)})
    assert worker.wait_dead() == -9
    worker = start(attempts=1)
    until(ended(worker, "grumpy", "k"))
    once = ["through", "back"]
    assert lines(file) == [
        *(*once, "asked", "NotFound no such pull look"),
        *(*once, "NotFound no such pull look"),  # again, without asking again
    ]
    ((kind, key, payload, why, _at),) = worker.ask("dead_letters")
    assert (kind, key, payload, why) == ("grumpy", "k", {"file": str(file)}, "enough")
    worker.ask("forget", "grumpy", "k")
    assert worker.ask("dead_letters") == []


@pytest.mark.parametrize("kind", ["judge", "measure"])
def test_a_job_that_kills_its_worker_is_given_up(kind: str, start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    payload = {"file": str(trail), "steps": "a b", "always": "after-a"}
    worker = start(attempts=1)
    worker.ask("put", kind, "k", payload)
    assert worker.wait_dead() == -9
    assert start(attempts=1).wait_dead() == -9
    worker = start(attempts=1)
    until(ended(worker, kind, "k"))
    assert lines(trail) == ["k a", "k a"]
    ((said, key, asked, why, _at),) = until(lambda: worker.ask("dead_letters"))
    assert (said, key, asked) == (kind, "k", payload)
    assert "died each of the" in why
    worker.ask("forget", kind, "k")
    worker.ask("put", kind, "k", payload | {"always": ""})
    until(ended(worker, kind, "k"))
    assert lines(trail)[-1] == "k said a b"


def test_a_job_goes_on_elsewhere_when_its_process_is_ended(
    url: str, start: Start, tmp_path: Path
) -> None:
    trail = tmp_path / "trail"
    gate = tmp_path / "gate"
    first, names = start(url), "a b c d"
    asked = {"file": str(trail), "steps": names, "gate": str(gate), "gated": "b"}
    first.ask("put", "judge", "k", asked)
    until(lambda: "k b" in lines(trail))
    second = start(url, folder="elsewhere")
    second.ask("waiting")  # it is there
    threading.Timer(0.5, gate.touch).start()  # the step ends when its process was told to end
    first.end()
    until(ended(second, "judge", "k"))
    assert lines(trail) == [f"k {name}" for name in names.split()] + [f"k said {names}"]
    who = [str(worker._process.pid) for worker in (first, first, second, second)]
    assert lines(tmp_path / "trail.pids") == who


def test_a_claim_nobody_heard_of_is_put_back(start: Start, tmp_path: Path) -> None:
    worker = start(only=["gpu"], dead=0.5)
    worker.ask("put", "judge", "k", {"file": str(tmp_path / "trail"), "steps": "a"})
    with closing(sqlite3.connect(tmp_path / "jobs.db", timeout=20)) as c:
        set_ = "status = 'PENDING', executor_id = ?, owner_xid = 'lost'"
        c.execute(
            f"UPDATE workflow_status SET {set_} WHERE workflow_uuid = 'judge:k'", [worker.name]
        )
        c.commit()
    until(lambda: worker.ask("waiting")[0][3] == 1)
    web = start(only=["web"], dead=0.5)
    until(ended(web, "judge", "k"))
    assert lines(tmp_path / "trail") == ["k a", "k said a"]


class Burglar:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


def test_a_pickle_in_the_database_is_never_loaded(start: Start, tmp_path: Path) -> None:
    worker = start(only=["gpu"])
    worker.ask("put", "judge", "k", {"file": str(tmp_path / "trail"), "steps": "a"})
    text = base64.b64encode(pickle.dumps(Burglar(tmp_path / "broken-in"))).decode()
    with closing(sqlite3.connect(tmp_path / "jobs.db", timeout=20)) as c:
        c.execute("UPDATE workflow_status SET serialization = 'py_pickle'")
        assert c.execute("UPDATE workflow_input SET inputs = ?", [text]).rowcount == 1
        c.commit()
    web = start(only=["web"])
    until(ended(web, "judge", "k"))
    assert web.ask("dead_letters")[0][1] == "k"
    assert not (tmp_path / "broken-in").exists() and not (tmp_path / "trail").exists()


def test_postgres_restarts_under_a_running_job(
    postgres: Postgres, start: Start, tmp_path: Path
) -> None:
    trail = tmp_path / "trail"
    names = "a b c d e f g h i j k l"
    worker = start(postgres.database())
    worker.ask("put", "judge", "k", {"file": str(trail), "steps": names, "nap": 0.2})
    worker.ask("put", "measure", "m", {"file": str(trail), "steps": "x y z", "nap": 0.2})
    until(lambda: "k b" in lines(trail))
    postgres.stop()
    postgres.start()
    until(ended(worker, "judge", "k"), 40)
    until(ended(worker, "measure", "m"), 40)
    seen = collections.Counter(lines(trail))
    assert seen[f"k said {names}"] == seen["m said x y z"] == 1
    assert all(1 <= seen[f"k {name}"] <= 2 for name in names.split())


def test_a_disk_that_takes_nothing_for_a_while(start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    worker = start(dead=0.5)
    worker.ask("put", "judge", "k", {"file": str(trail), "steps": "a b c d", "nap": 0.4})
    until(lambda: "k a" in lines(trail))
    worker.ask("disk", 100)
    time.sleep(1.0)  # what ran has failed by now, whatever it tried
    worker.ask("disk", 0)
    until(ended(worker, "judge", "k"))
    assert lines(trail)[-1] == "k said a b c d"
    assert worker.ask("dead_letters") == []


def test_what_could_not_be_kept_does_not_end_the_job(start: Start, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    worker = start(dead=0.5)
    worker.ask("waiting")  # it is there
    with closing(sqlite3.connect(tmp_path / "jobs.db", timeout=20)) as c:
        refuse = "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        c.execute(f"CREATE TRIGGER full BEFORE INSERT ON operation_outputs {refuse}")
        c.commit()
        worker.ask("put", "judge", "k", {"file": str(trail), "steps": "a b"})
        until(lambda: lines(trail).count("k a") == 2)  # it was tried again
        c.execute("DROP TRIGGER full")
        c.commit()
    until(ended(worker, "judge", "k"))
    assert lines(trail)[-2:] == ["k b", "k said a b"]
    assert worker.ask("dead_letters") == []
