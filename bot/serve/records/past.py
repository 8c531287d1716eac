"""GPU minutes, measurements of the default branch, the audit trail, leases, signs of life."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple
from typing import Any

import sqlalchemy as sa

from bot.github.values import Target
from bot.serve.contract import Event, Point
from bot.serve.records.store import Store
from bot.serve.records.tables import events, leases, points, spends, workers

MAX_DETAIL = 2000
KEPT_EVENTS = 400 * 86400.0  # seconds


class Past(Store):
    """Rows that are only ever added, and who holds what and lives."""

    def spend(self, target: Target, author: int, minutes: float, now: float) -> None:
        """Count the minutes of one run; said again of the same target, it is the same run."""
        row: dict[str, Any] = {"repo": target.repo.id, "number": target.number}
        row |= {"head": target.head, "base": target.base, "attempt": target.attempt}
        with self.write() as c:
            self.put(c, spends, row | {"author": author, "minutes": minutes, "at": now})

    def spent(self, *, repo: int = 0, author: int = 0, since: float) -> float:
        """Return the minutes since a time, of a repository, an author, both, or all."""
        s = spends.c
        query = sa.select(sa.func.sum(s.minutes)).where(s.at >= since)
        if repo:
            query = query.where(s.repo == repo)
        if author:
            query = query.where(s.author == author)
        return float(self.rows(query)[0][0] or 0.0)

    def past_minutes(self, repo: int, limit: int) -> tuple[float, ...]:
        """Return the minutes of the last runs in a repository, oldest first."""
        s = spends.c
        query = sa.select(s.minutes).where(s.repo == repo).order_by(s.at.desc()).limit(limit)
        return tuple(float(row[0]) for row in reversed(self.rows(query)))

    def measured(self, points_: tuple[Point, ...]) -> None:
        """Keep values of commits of the default branch."""
        with self.write() as c:
            for point in points_:
                self.put(c, points, asdict(point))

    def points(self, repo: int, limit: int) -> tuple[Point, ...]:
        """Return the newest values of a repository, oldest first."""
        query = sa.select(points).where(points.c.repo == repo)
        rows = self.rows(query.order_by(points.c.at.desc(), points.c.name).limit(limit))
        return tuple(Point(**row._mapping) for row in reversed(rows))

    def note(self, event: Event) -> None:
        """Add a line to the audit trail."""
        row = asdict(event) | {"detail": event.detail[:MAX_DETAIL]}
        text = json.dumps(astuple(event))
        with self.write() as c:
            self.add(c, events, row | {"id": hashlib.sha256(text.encode()).hexdigest()})

    def events(self, repo: int, limit: int) -> tuple[Event, ...]:
        """Return the newest lines of the audit trail of a repository, the newest first."""
        e = events.c
        names = (e.at, e.repo, e.number, e.actor, e.what, e.detail)
        query = sa.select(*names).where(e.repo == repo).order_by(e.at.desc(), e.id)
        return tuple(Event(**row._mapping) for row in self.rows(query.limit(limit)))

    def forget_events(self, now: float, kept: float = KEPT_EVENTS) -> int:
        """Drop lines of the audit trail older than `kept` seconds. Returns how many."""
        with self.write() as c:
            return c.execute(events.delete().where(events.c.at < now - kept)).rowcount

    def lease(self, name: str, holder: str, until: float, now: float) -> bool:
        """Take or prolong a lease until a time. Returns whether `holder` has it."""
        insert = self.insert(leases).values(name=name, holder=holder, until=until)
        free = sa.or_(leases.c.holder == holder, leases.c.until <= now)
        fresh = {"holder": insert.excluded.holder, "until": insert.excluded.until}
        with self.write() as c:
            taken = insert.on_conflict_do_update(index_elements=["name"], set_=fresh, where=free)
            return c.execute(taken.returning(sa.literal(1))).first() is not None

    def release(self, name: str, holder: str) -> None:
        """Give a lease back, where `holder` has it."""
        mine = sa.and_(leases.c.name == name, leases.c.holder == holder)
        with self.write() as c:
            c.execute(leases.delete().where(mine))

    def beat(self, worker: str, about: str, now: float) -> None:
        """Say that a worker lives."""
        with self.write() as c:
            self.put(c, workers, {"worker": worker, "about": about, "at": now})

    def workers(self) -> tuple[tuple[str, str, float], ...]:
        """Return name, description and last sign of life of each worker."""
        query = sa.select(workers.c.worker, workers.c.about, workers.c.at)
        return tuple((r.worker, r.about, r.at) for r in self.rows(query.order_by(workers.c.worker)))

    def dead(self, before: float) -> tuple[str, ...]:
        """Return the workers whose last sign of life is older."""
        query = sa.select(workers.c.worker).where(workers.c.at < before)
        return tuple(row.worker for row in self.rows(query.order_by(workers.c.worker)))

    def buried(self, worker: str) -> None:
        """Forget a worker whose work was taken over, and what it held."""
        with self.write() as c:
            c.execute(leases.delete().where(leases.c.holder == worker))
            c.execute(workers.delete().where(workers.c.worker == worker))
