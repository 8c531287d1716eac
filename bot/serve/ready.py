"""Whether this process can take work now; its reasons are words that anybody may read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.errors import BotError
from bot.serve.contract import Jobs
from bot.serve.records import Records

ROOM = 1 << 30  # bytes that must be free
SILENCE = 180.0  # seconds that a delivery may wait to be handed over


@dataclass(frozen=True, slots=True)
class Ready:
    """What readiness hangs on."""

    records: Records
    jobs: Jobs
    folder: Path
    clock: Callable[[], float] = time.time

    def reasons(self) -> tuple[str, ...]:
        """Return why not, () where all is well. Blocks: it asks the database."""
        tries = (
            (self.records.ping, "the database does not answer"),
            (self.jobs.waiting, "the job engine does not answer"),
        )
        found = [said for ask, said in tries if not _answers(ask)]
        if not self._room():
            found.append("the disk of the server's folder is nearly full")
        if not found and self._behind():
            found.append("deliveries wait for minutes to become jobs")
        return tuple(found)

    def _behind(self) -> bool:
        oldest = self.records.waiting(1)
        return bool(oldest) and self.clock() - oldest[0].received_at > SILENCE

    def _room(self) -> bool:
        try:
            return shutil.disk_usage(self.folder).free >= ROOM
        except OSError:
            return False


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except BotError:
        return False
    except Exception:  # noqa: BLE001 - a probe: whatever the engine raises, it does not answer
        return False
    return True
