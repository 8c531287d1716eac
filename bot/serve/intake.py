"""Accepted deliveries become jobs: at once, and again after a crash, until they are settled."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bot.serve.contract import Delivery
from bot.serve.errors import StoreError
from bot.serve.records import Records

BATCH = 100
EVERY = 1.0  # seconds between two looks for what another process accepted, or left

# Starts what a delivery asks for, however often it is called, and says what that was.
Settle = Callable[[Delivery], str]
log = logging.getLogger("modelwarden.intake")


class Intake:
    """A thread that settles deliveries. Any number of processes may do it: jobs start once."""

    def __init__(self, records: Records, settle: Settle, *, every: float = EVERY) -> None:
        self._records, self._settle, self._every = records, settle, every
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
        """End after the delivery at hand; the rest is settled at the next start."""
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
        """Settle what waits, up to a batch. Returns how many. Raises StoreError."""
        notes: dict[str, str] = {}
        try:
            for delivery in self._records.waiting(BATCH):
                if self._stop:
                    break
                notes[delivery.id] = self._note(delivery)
        finally:
            if notes:
                self._records.settled(notes)
        return len(notes)

    def _note(self, delivery: Delivery) -> str:
        try:
            return self._settle(delivery)
        except StoreError:
            raise
        except Exception as error:  # BLE001 - one delivery that breaks holds up no other
            log.exception("delivery %s (%s) broke", delivery.id, delivery.event)
            return f"broke with {type(error).__name__}; reconciling finds what it was about"
