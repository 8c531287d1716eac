"""Signs of life: each worker gives them, and takes over from those that no longer do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress

from bot.errors import BotError
from bot.serve import stepping
from bot.serve.desk import Desk
from bot.serve.queueing import Pace
from bot.serve.records import Records


class Vigil:
    """A thread that beats, finds what was lost and buries the dead.

    `running` are the ids this process has threads for; `put_back(id, worker)` queues again what
    a worker had, and changes nothing where it is no longer that worker's: two may do it at once.
    """

    def __init__(
        self,
        records: Records,
        desk: Desk,
        worker: str,
        about: str,
        pace: Pace,
        running: Collection[str],
        put_back: Callable[[str, str], None],
    ) -> None:
        self._records, self._desk, self._pace = records, desk, pace
        self._worker, self._about = worker, about
        self._running, self._put_back = running, put_back
        self._lost: dict[str, float] = {}  # ours in the database, since when without a thread
        self._beaten = self._steady = -1e9  # monotonic: the last beat, and the first without gap
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="vigil", daemon=True)

    def start(self) -> None:
        """Beat once, then in a thread. Raises StoreError."""
        self.beat()
        self._thread.start()

    def end(self, *, quiet: bool) -> None:
        """Beat no more; where nothing runs here, say so: others need not wait."""
        self._stop.set()
        self._thread.join(10)
        if quiet:
            with suppress(BotError):
                self._records.beat(self._worker, "ended", 0.0)

    def _watch(self) -> None:
        while not self._stop.wait(self._pace.beat):
            try:
                self.beat()
                self.find_lost()
                self.bury()
            except BotError as error:
                stepping.log.warning("signs of life: %s", error.message)

    def beat(self) -> None:
        """Give a sign of life. Raises StoreError."""
        self._records.beat(self._worker, self._about, time.time())
        now = time.monotonic()
        if now - self._beaten > 3 * self._pace.beat:  # after a gap all others look dead too
            self._steady = now
        self._beaten = now

    def find_lost(self) -> None:
        """Put back what was claimed for us while the database's answer was lost."""
        rows = self._desk.rows(status="PENDING", executor_id=self._worker)
        now = time.monotonic()
        ours = {row.workflow_id for row in rows} - set(self._running)
        self._lost = {id: self._lost.get(id, now) for id in ours}
        for id in [id for id, since in self._lost.items() if now - since > self._pace.dead]:
            self._put_back(id, self._worker)

    def bury(self) -> None:
        """Take over from workers that gave no sign of life for long."""
        if self._beaten - self._steady < 3 * self._pace.beat:
            return
        for worker in self._records.dead(time.time() - self._pace.dead):
            if worker != self._worker:
                left = self._desk.rows(status="PENDING", executor_id=worker)
                for row in left:
                    self._put_back(row.workflow_id, worker)
                stepping.log.warning("worker %s is gone; it left %d jobs", worker, len(left))
                self._records.buried(worker)
