"""Accepted deliveries become jobs: at once, and again after a crash, until the jobs have them."""

from __future__ import annotations

import logging
import threading

from bot.serve.contract import Jobs, Records
from bot.serve.errors import StoreError

KIND = "deliver"
BATCH = 100
EVERY = 1.0  # seconds between two looks for what another process accepted, or left

log = logging.getLogger("modelwarden.intake")


class Intake:
    """A thread that hands deliveries over. Any number of processes may do it: jobs start once."""

    def __init__(self, records: Records, jobs: Jobs, *, every: float = EVERY) -> None:
        self._records, self._jobs, self._every = records, jobs, every
        self._woken = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a delivery was accepted; returns at once."""
        self._woken.set()

    def close(self) -> None:
        """End after the delivery at hand; the rest is handed over at the next start."""
        self._stop = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop:
            self._woken.clear()
            try:
                more = self.hand_over() == BATCH
            except StoreError as error:  # nothing is lost: they wait in the records
                log.warning("%s", error.message)
                more = False
            if not more:
                self._woken.wait(self._every)

    def hand_over(self) -> int:
        """Hand over what waits, up to a batch. Returns how many. Raises StoreError."""
        batch = self._records.waiting(BATCH)
        done = []
        try:
            for delivery in batch:
                if self._stop:
                    break
                self._jobs.put(KIND, delivery.id, {"event": delivery.event})
                done.append(delivery.id)
        finally:
            if done:
                self._records.handed(tuple(done))
        return len(done)
