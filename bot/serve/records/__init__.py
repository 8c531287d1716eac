"""The durable rows of the server, in SQLite or PostgreSQL."""

from __future__ import annotations

from bot.serve.records.inbox import Inbox
from bot.serve.records.past import KEPT_EVENTS, Past
from bot.serve.records.people import People
from bot.serve.records.runs import Runs

KEPT_RUNS = 90 * 86400.0  # seconds a concluded run is remembered


class Records(Inbox, Runs, People, Past):
    """Every durable row, by the address of a database. Each method is one transaction.

    Writing the same row again changes nothing: every method may be repeated after a crash.
    """

    def prune(self, now: float, kept: float = KEPT_EVENTS) -> int:
        """Drop what nobody asks for any more; call it daily. Returns how many rows.

        Lines of the audit trail are kept for `kept` seconds.
        """
        dropped = self.forget_deliveries(now) + self.forget_events(now, kept)
        return dropped + self.forget_runs(now - KEPT_RUNS)
