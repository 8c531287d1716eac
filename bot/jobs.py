"""Durable jobs on DBOS: the one file that calls it.

A job is a workflow named `work`; its id is its kind and key, so it starts once. A job for the GPU
takes its turn first: the workflow `turn` holds one of its author's places while the job itself
waits in a queue that has places per repository and per worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from dbos._serialization import DefaultSerializer  # what we keep it from doing

from bot.errors import BotError
from bot.serve import queueing, stepping
from bot.serve.contract import Flow, Plain, T
from bot.serve.desk import NAME, VERSION, Desk, away, options
from bot.serve.queueing import GPU, TURN, WEB, Limits, Pace, inner, outer
from bot.serve.records import Records
from bot.serve.records.store import locking
from bot.serve.slots import Slot
from bot.serve.vigil import Vigil

SCHEMA = "warden_jobs"  # of PostgreSQL; SQLite has a file of its own
THREADS = 64  # jobs of the web queue that a process has begun; those that are parked too
CHECK = 15.0  # seconds between two looks whether a parked job was cancelled

R = TypeVar("R")


class Stopped(BaseException):
    """The job is left as it is, to go on elsewhere or later. No flow may catch it.

    The process ends, or the engine could not write what a step said.
    """


def _refuse(_self: object, _text: str) -> NoReturn:
    raise ValueError("a pickle in the database of jobs: we write none, so somebody else did")


def _kept(name: str, act: Callable[[], T]) -> T:
    """Return what a step said now or before a crash; `act` must not raise."""
    return _unless_away(name, lambda: DBOS.run_step({"name": name}, act))


def _unless_away(name: str, act: Callable[[], R]) -> R:
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - the engine raises what its drivers raise
        stepping.broken(f"keeping {name}", error)
        raise Stopped from None


class _Steps:
    """One job as it runs. See `Steps`."""

    def __init__(self, engine: Engine, kind: str, key: str) -> None:
        self._engine, self._kind, self._key = engine, kind, key

    @property
    def key(self) -> str:
        return self._key

    def run(self, name: str, act: Callable[[], T]) -> T:
        pauses = stepping.pauses()
        while True:
            self._engine.go_on()
            pause = next(pauses, None)
            said = _kept(name, lambda: stepping.attempt(name, act, pause))  # noqa: B023
            assert isinstance(said, dict)
            if "value" in said:
                return cast(T, said["value"])
            if "error" in said:
                raise stepping.unpacked(said["error"])
            self._until(float(cast(float, said["until"])))

    def pause(self, seconds: float) -> None:
        self._engine.go_on()
        self._until(_kept("pause", lambda: time.time() + seconds))

    def _until(self, at: float) -> None:
        """Wait for a time, or until the job was cancelled, which its next step notices."""
        with self._engine.parked(self._kind):
            while (rest := at - time.time()) > 0:
                self._engine.wait(min(rest, CHECK))
                if rest > CHECK and self._engine.ended(outer(self._kind, self._key)):
                    return


class Engine(Desk):
    """Durable jobs in one process. See `Jobs`; `only` names the queues it takes from.

    `url` is the database of the jobs, `folder` where this machine keeps its own files.
    """

    def __init__(
        self,
        url: str,
        flows: Mapping[str, Flow],
        records: Records,
        folder: Path,
        *,
        only: tuple[str, ...] = (WEB, GPU),
        limits: Limits = Limits(),
        pace: Pace = Pace(),
        attempts: int = 5,
    ) -> None:
        super().__init__()
        self._url, self._flows, self._records = url, flows, records
        self._only, self._limits, self._pace, self._attempts = only, limits, pace, attempts
        # DBOS's own reads of SQLite do not lock what they count, and two would exceed a limit.
        self._file = locking(url) if url.startswith("sqlite") else None
        self._slot = Slot(folder / "workers")
        self._room = threading.BoundedSemaphore(limits.web)
        self._stop = threading.Event()
        self._running: set[str] = set()
        self._dbos: Any = None
        about = ", ".join(only)
        self._vigil = Vigil(records, self, self.worker, about, pace, self._running, self._put_back)

    @property
    def worker(self) -> str:
        """The name of this process, the same again after it died."""
        return self._slot.name

    def start(self) -> None:
        """Connect, take up what this process left behind, and take jobs. Raises StoreError."""
        DefaultSerializer.deserialize = _refuse  # type: ignore[method-assign,assignment]
        serializer = DBOSPortableJSONSerializer()
        config: DBOSConfig = {
            "name": NAME,
            "system_database_url": self._url,
            "dbos_system_schema": SCHEMA,
            "sys_db_pool_size": 10,
            "application_version": VERSION,
            "executor_id": self.worker,
            "serializer": serializer,
            "use_listen_notify": False,
            "enable_otlp": False,
            "log_level": "CRITICAL",  # we log what becomes of a job ourselves
        }
        self._register()
        try:
            if self._file is not None:
                DBOS.migrate(self._url)
                config |= {"system_database_engine": self._file, "run_migrations": False}
            self._dbos = DBOS(config=config)
            queues = [WEB] if WEB in self._only else []
            DBOS.listen_queues(queues + ([TURN, GPU] if GPU in self._only else []))
            self.client = DBOSClient(
                system_database_url=self._url,
                system_database_engine=self._file,
                dbos_system_schema=SCHEMA,
                serializer=serializer,
                application_name=NAME,
                lazy=True,
                retry_connection_errors=False,
            )
            DBOS.launch()
            self._queues()
        except Exception as error:  # noqa: BLE001 - the engine raises what its drivers raise
            self._slot.close()
            DBOS.destroy(destroy_registry=True)
            raise away(error) from None
        self._vigil.start()

    def _register(self) -> None:
        def work(kind: str, key: str, payload: dict[str, Plain]) -> Plain:
            return self._counted(lambda: self._work(kind, key, payload))

        def turn(kind: str, key: str, payload: dict[str, Plain], repo: str) -> None:
            self._counted(lambda: self._turn(kind, key, payload, repo))

        DBOS.workflow(name="work", max_recovery_attempts=self._attempts)(work)
        DBOS.workflow(name="turn", max_recovery_attempts=None)(turn)

    def _queues(self) -> None:
        """Say how much of each queue runs at once; the process that started last is right."""
        limits = self._limits
        queues: dict[str, dict[str, Any]] = {
            WEB: {"worker_concurrency": THREADS},
            TURN: {"partition_concurrency": limits.author},
            GPU: {"partition_concurrency": limits.repo, "worker_concurrency": limits.worker},
        }
        for name, room in queues.items():
            if name.partition("-")[0] in self._only:
                room["polling_interval_sec"] = self._pace.poll
                DBOS.register_queue(name, on_conflict="always_update", **room)

    def _counted(self, act: Callable[[], T]) -> T:
        id = cast(str, DBOS.workflow_id)
        self._running.add(id)
        try:
            self.go_on()
            return act()
        finally:
            self._running.discard(id)

    def _work(self, kind: str, key: str, payload: Mapping[str, Plain]) -> Plain:
        web = queueing.queue(kind) == WEB
        while web and not self._room.acquire(timeout=0.5):
            self.go_on()
        try:
            return self._flows[kind](_Steps(self, kind, key), payload)
        except BotError as error:
            stepping.log.error("%s %s: %s", kind, key, error.message)
            raise
        except Exception as error:  # noqa: BLE001 - one broken flow never takes the worker with it
            raise stepping.broken(f"{kind} {key}", error) from None
        finally:
            if web:
                self._room.release()

    @contextmanager
    def parked(self, kind: str) -> Iterator[None]:
        """Let another job run while this one waits."""
        if queueing.queue(kind) != WEB:
            yield
            return
        self._room.release()
        try:
            yield
        finally:
            self._room.acquire()

    def _turn(self, kind: str, key: str, payload: dict[str, Plain], repo: str) -> None:
        mine, job = outer(kind, key), inner(kind, key)
        asked = cast(EnqueueOptions, options("work", GPU, job, payload, repo))
        _unless_away(
            "its turn", lambda: DBOS.enqueue_workflow_with_options(asked, kind, key, payload)
        )
        while not self.ended(job):
            self.wait(max(self._pace.poll, 0.1))
            if self.ended(mine):  # cancelled, perhaps an instant before the job was put
                self.ask(lambda: self.client.cancel_workflows([job]))

    def go_on(self) -> None:
        """Raise Stopped where the process ends."""
        if self._stop.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep. Raises Stopped where the process ends meanwhile."""
        if self._stop.wait(seconds):
            raise Stopped

    def _put_back(self, id: str, worker: str) -> None:
        # Changes nothing where the job is no longer that worker's: two may do it at once.
        again = self._dbos._sys_db.reenqueue_for_recovery
        self.ask(lambda: again(id, [worker], "_dbos_internal_queue"))

    def close(self, grace: float = 10.0) -> bool:
        """Take no more jobs and let those that run reach the end of their step, for `grace` s.

        Returns whether all did. Those that did not still hold threads: end the process by
        `os._exit`. All go on in another process, or when this one starts again.
        """
        self._stop.set()
        end = time.monotonic() + grace
        while self._running and time.monotonic() < end:
            time.sleep(0.02)
        quiet = not self._running
        self._vigil.end(quiet=quiet)
        DBOS.destroy(destroy_registry=True)
        self.client.destroy()
        if self._file is not None:
            self._file.dispose()
        self._slot.close()
        return quiet
