"""What the server does by itself: looks for what was missed, ends what hangs, forgets the old."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from bot.errors import BotError
from bot.serve.contract import Jobs

HOUR, OFTEN, DAY = 3600.0, 300.0, 86400.0
log = logging.getLogger("modelwarden.clockwork")


class Clockwork:
    """A thread that puts timed jobs and tidies. Jobs have the time in their key: each is put once,
    however many processes do so. `tidy` drops old rows."""

    def __init__(
        self,
        jobs: Jobs,
        tidy: Callable[[float], None],
        *,
        clock: Callable[[], float] = time.time,
        every: float = 30.0,
    ) -> None:
        self._jobs, self._tidy, self._clock, self._every = jobs, tidy, clock, every
        self._done: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)

    def start(self) -> None:
        """Look for what was missed, at once and then every hour."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except BotError as error:  # what is due is still due at the next look
                log.warning("%s", error.message)
            self._stop.wait(self._every)

    def tick(self) -> None:
        """Do what is due. Raises BotError."""
        now = self._clock()
        first = f"start-{int(now)}"
        self._due("sweep", now, HOUR, lambda n: self._put("sweep", str(n) if self._done else first))
        self._due("watch", now, OFTEN, lambda n: self._put("watch", str(n)))
        self._due("tidy", now, DAY, lambda n: self._tidy(now))

    def _put(self, kind: str, key: str) -> None:
        self._jobs.put(kind, key, {"about": ""})

    def _due(self, name: str, now: float, every: float, act: Callable[[int], None]) -> None:
        number = int(now // every)
        if self._done.get(name) != number:
            act(number)
            self._done[name] = number
