"""Deliveries: durable before they are acknowledged, bodies dropped once they are settled."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from bot.errors import BotError
from bot.serve.contract import Delivery
from bot.serve.records.store import Store
from bot.serve.records.tables import deliveries

REMEMBERED = 30 * 86400.0  # seconds; GitHub keeps its own log of deliveries for less
MAX_NOTE = 500


_SETTLE = (
    deliveries.update()
    .where(deliveries.c.id == sa.bindparam("name"))
    .values(handed=True, body=None, note=sa.bindparam("said"))
)


@dataclass(slots=True, eq=False)
class _Ticket:
    """One delivery that waits to be written, and what came of it."""

    delivery: Delivery
    body: bytes
    done: bool = False
    new: bool = False
    error: BotError | None = None


class Inbox(Store):
    """Deliveries by GitHub's id."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._writing = threading.Lock()
        self._line = threading.Lock()  # held for an instant, to join or take the queue
        self._queue: list[_Ticket] = []

    def accept(self, delivery: Delivery) -> bool:
        """Keep a delivery, on the disk when this returns. False: it is known. Raises StoreError.

        Those who wait for the disk are written together by the next of them: one sync for all.
        """
        ticket = _Ticket(delivery, zlib.compress(delivery.body, 1))
        with self._line:
            self._queue.append(ticket)
        with self._writing:
            if not ticket.done:
                self._write_waiting()
        if ticket.error is not None:
            raise ticket.error
        return ticket.new

    def _write_waiting(self) -> None:
        with self._line:
            batch, self._queue = self._queue, []
        try:
            with self.write() as c:
                news = [self.add(c, deliveries, _row(ticket)) for ticket in batch]
            for ticket, new in zip(batch, news, strict=True):
                ticket.new = new
        except BotError as error:
            for ticket in batch:
                ticket.error = error
        finally:
            for ticket in batch:
                ticket.done = True

    def waiting(self, limit: int) -> tuple[Delivery, ...]:
        """Return deliveries that are not settled yet, oldest first."""
        return self._read(
            sa.select(deliveries)
            .where(sa.not_(deliveries.c.handed))
            .order_by(deliveries.c.received_at)
            .limit(limit)
        )

    def delivery(self, id: str) -> Delivery | None:
        """Return a delivery; None where it is unknown or settled."""
        return next(iter(self._read(sa.select(deliveries).where(deliveries.c.id == id))), None)

    def _read(self, query: sa.Select[tuple[object, ...]]) -> tuple[Delivery, ...]:
        return tuple(
            Delivery(row.id, row.event, zlib.decompress(row.body), row.received_at)
            for row in self.rows(query)
            if row.body is not None
        )

    def settled(self, notes: Mapping[str, str]) -> None:
        """Write what came of deliveries, by id, and drop their bodies; the ids stay."""
        with self.write() as c:
            c.execute(_SETTLE, [{"name": id, "said": s[:MAX_NOTE]} for id, s in notes.items()])

    def notes(self, limit: int) -> tuple[tuple[str, str, str], ...]:
        """Return id, event and note of the newest settled deliveries."""
        query = (
            sa.select(deliveries.c.id, deliveries.c.event, deliveries.c.note)
            .where(deliveries.c.body.is_(None))
            .order_by(deliveries.c.received_at.desc())
            .limit(limit)
        )
        return tuple((row.id, row.event, row.note) for row in self.rows(query))

    def forget_deliveries(self, now: float) -> int:
        """Drop settled deliveries that are older than anybody repeats. Returns how many."""
        with self.write() as c:
            old = sa.and_(deliveries.c.body.is_(None), deliveries.c.received_at < now - REMEMBERED)
            return c.execute(deliveries.delete().where(old)).rowcount


def _row(ticket: _Ticket) -> dict[str, object]:
    return {
        "id": ticket.delivery.id,
        "event": ticket.delivery.event,
        "body": ticket.body,
        "received_at": ticket.delivery.received_at,
        "handed": False,
        "note": "",
    }
