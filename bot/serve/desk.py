"""Where jobs are put, asked after and ended: the engine's rows, in our words.

Every method may be called from any thread and raises StoreError where the database is away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.errors import BotError
from bot.serve import queueing
from bot.serve.contract import Plain, Waiting
from bot.serve.errors import StoreError
from bot.serve.queueing import GPU, TURN, WEB, DeadLetter, inner, outer

# Jobs begun under another version are not taken up: raise it when the steps of a flow change.
VERSION = "1"
NAME = "modelwarden"
REMEMBERED = 30 * 86400.0  # seconds an ended job keeps a second put of it from starting
BATCH = 500


class Desk:
    """What anybody may ask of the jobs. `client` is the engine's own, set by who starts it."""

    def __init__(self) -> None:
        self.client: Any = None

    def ended(self, id: str) -> bool:
        """Whether a workflow is known to have ended: False where the database does not say."""
        try:
            rows = self.rows(workflow_ids=[id])
        except StoreError:
            return False
        return not any(row.status in queueing.ALIVE for row in rows)

    def rows(self, *, inputs: bool = False, **where: Any) -> Any:
        """Return the rows of workflows. Raises StoreError."""
        return self.ask(
            lambda: self.client.list_workflows(load_input=inputs, load_output=inputs, **where)
        )

    def ask(self, act: Callable[[], Any]) -> Any:
        """Do `act` with the engine's database. Raises StoreError."""
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - the engine raises what its drivers raise
            raise away(error) from None

    def put(
        self, kind: str, key: str, payload: Mapping[str, Plain], *, author: int = 0, repo: int = 0
    ) -> None:
        """Enqueue once per (kind, key): a second put changes nothing. Raises StoreError."""
        args: tuple[Any, ...] = (kind, key, dict(payload))
        asked = options("work", WEB, outer(kind, key), payload)
        if queueing.queue(kind) == GPU:
            asked = options("turn", TURN, outer(kind, key), payload, str(author))
            args = (*args, str(repo))
        self.ask(lambda: self.client.enqueue(asked, *args))

    def cancel(self, kind: str, key: str) -> None:
        """End a job that waits or runs; it stops at its next step. Raises StoreError."""
        ids = [outer(kind, key), inner(kind, key)]
        self.ask(lambda: self.client.cancel_workflows(ids))

    def alive(self, kind: str, key: str) -> bool:
        """Whether the job waits or runs. Raises StoreError."""
        rows = self.rows(workflow_ids=[outer(kind, key)])
        return any(row.status in queueing.ALIVE for row in rows)

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what waits or runs, in order, up to 2,000. Raises StoreError."""
        return queueing.listed(self.rows(status=queueing.ALIVE, limit=queueing.LIMIT))

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Return jobs that ended without doing their work, until `forget`. Raises StoreError."""
        rows = self.rows(inputs=True, status=queueing.FAILED, name="work", limit=BATCH)
        return queueing.failed(rows)

    def forget(self, kind: str, key: str) -> None:
        """Drop an ended job: a new put of it starts it again. Raises StoreError."""
        if not self.alive(kind, key):
            self._delete([outer(kind, key), inner(kind, key)])

    def _delete(self, ids: list[str]) -> None:
        self.ask(lambda: self.client.delete_workflows(ids))

    def prune(self, now: float) -> int:
        """Drop jobs that ended long ago; call it daily. Returns how many. Raises StoreError."""
        before = datetime.fromtimestamp(now - REMEMBERED, UTC).isoformat()
        total = 0
        while rows := self.rows(status=queueing.ENDED, completed_before=before, limit=BATCH):
            self._delete([row.workflow_id for row in rows])
            total += len(rows)
        return total


def options(
    name: str, queue: str, id: str, payload: Mapping[str, Plain], partition: str | None = None
) -> dict[str, Any]:
    """Return how a workflow is put into a queue; `partition` says whose places it takes."""
    asked: dict[str, Any] = {
        "workflow_name": name,
        "queue_name": queue,
        "workflow_id": id,
        "app_version": VERSION,
        "attributes": {"about": str(payload.get("about", ""))[:200]},
    }
    if partition is not None:
        asked["queue_partition_key"] = partition
    return asked


def away(error: Exception) -> BotError:
    """Return the error in our words; the driver's own may hold an address or parameters."""
    if isinstance(error, BotError):
        return error
    message = f"the database of the jobs gives no answer ({type(error).__name__})"
    return StoreError(message, "look whether it runs, at its disk, and at its address")
