"""Check runs we opened, and the reports that stand behind them."""

from __future__ import annotations

import zlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.github.values import Repo, Target
from bot.serve.contract import Judged, Run
from bot.serve.errors import StoreError
from bot.serve.records.store import Store
from bot.serve.records.tables import points, reports, repos, runs

MAX_REPORT = 30_000_000  # bytes of one report before it is packed
KEPT_REPORTS = 10  # newest of each pull request and part


class Runs(Store):
    """Runs and reports by their target."""

    def know(self, repo: Repo) -> None:
        """Remember a repository by the name it has now."""
        with self.write() as c:
            self._know(c, repo)

    def _know(self, c: Connection, repo: Repo) -> None:
        branch = repo.default_branch  # events of installations do not tell it
        if not branch:
            branch = (
                c.execute(sa.select(repos.c.branch).where(repos.c.id == repo.id)).scalar() or ""
            )
        row = {"id": repo.id, "name": repo.name, "installation": repo.installation}
        self.put(c, repos, row | {"branch": branch})

    def opened(self, run: Run) -> None:
        """Remember a check run that is open on GitHub."""
        row = _where(run.target) | {"check": run.check}
        row |= {"external_id": _external(run), "run": run.run, "opened_at": run.opened_at}
        with self.write() as c:
            self._know(c, run.target.repo)
            self.put(c, runs, row | {"conclusion": run.conclusion})

    def concluded(self, target: Target, check: str, conclusion: str) -> None:
        """Remember how GitHub shows a run's end."""
        at = _match(runs, _where(target) | {"check": check})
        with self.write() as c:
            c.execute(runs.update().where(at).values(conclusion=conclusion))

    def open_runs(self, repo: int, number: int) -> tuple[Run, ...]:
        """Return the runs of a pull request that have no conclusion yet."""
        where = sa.and_(runs.c.repo == repo, runs.c.number == number, runs.c.conclusion == "")
        return self._runs(where)

    def stale_runs(self, before: float) -> tuple[Run, ...]:
        """Return the runs opened before a time that have no conclusion yet."""
        return self._runs(sa.and_(runs.c.conclusion == "", runs.c.opened_at < before))

    def run_named(self, external_id: str) -> Run | None:
        """Return the run of this external id: its target's key, then ":" and the check."""
        return next(iter(self._runs(runs.c.external_id == external_id)), None)

    def _runs(self, where: sa.ColumnElement[bool]) -> tuple[Run, ...]:
        rows = self.rows(_joined(runs).where(where).order_by(runs.c.opened_at))
        return tuple(
            Run(_target(row), row.check, row.run, row.opened_at, row.conclusion) for row in rows
        )

    def keep(self, judged: Judged) -> None:
        """Keep a report, and the newest few of its pull request. Raises StoreError if too large."""
        if len(judged.report) > MAX_REPORT:
            raise StoreError(
                f"a report of {len(judged.report):,} bytes, more than {MAX_REPORT:,}",
                "split the pull request: nobody can read such a report",
            )
        target = judged.target
        row = _where(target) | {"part": judged.part, "report": zlib.compress(judged.report)}
        row |= {"outcome": judged.outcome, "title": judged.title, "at": judged.at}
        with self.write() as c:
            self._know(c, target.repo)
            self.put(c, reports, row)
            same = sa.and_(
                reports.c.repo == target.repo.id,
                reports.c.number == target.number,
                reports.c.part == judged.part,
            )
            limit = sa.select(reports.c.at).where(same).order_by(reports.c.at.desc())
            oldest = c.execute(limit.offset(KEPT_REPORTS - 1).limit(1)).scalar()
            if oldest is not None:
                c.execute(reports.delete().where(same, reports.c.at < oldest))

    def judged(self, target: Target, part: str) -> Judged | None:
        """Return the report of a target; None where there is none, or no longer."""
        where = _match(reports, _where(target) | {"part": part})
        return next(iter(self._judged(_joined(reports).where(where))), None)

    def latest(self, repo: int, limit: int, number: int | None = None) -> tuple[Judged, ...]:
        """Return the newest report of each pull request, or of one, and part; newest first."""
        one = sa.true() if number is None else reports.c.number == number
        newest = (
            sa.select(reports.c.number, reports.c.part, sa.func.max(reports.c.at).label("at"))
            .where(reports.c.repo == repo, one)
            .group_by(reports.c.number, reports.c.part)
            .subquery()
        )
        on = sa.and_(*(reports.c[name] == newest.c[name] for name in ("number", "part", "at")))
        query = _joined(reports).join(newest, on).where(reports.c.repo == repo)
        if number is not None:
            query = query.where(reports.c.number == number)
        return self._judged(query.order_by(reports.c.at.desc()).limit(limit))

    def _judged(self, query: sa.Select[Any]) -> tuple[Judged, ...]:
        return tuple(
            Judged(
                _target(row), row.part, zlib.decompress(row.report), row.outcome, row.title, row.at
            )
            for row in self.rows(query)
        )

    def repos(self) -> tuple[Repo, ...]:
        """Return the repositories that have runs, reports or points, by name."""
        used = sa.union(*(sa.select(table.c.repo) for table in (runs, reports, points)))
        query = sa.select(repos).where(repos.c.id.in_(used)).order_by(repos.c.name)
        rows = self.rows(query)
        return tuple(Repo(row.id, row.name, row.installation, row.branch) for row in rows)

    def forget_runs(self, before: float) -> int:
        """Drop concluded runs opened before a time. Returns how many."""
        with self.write() as c:
            old = sa.and_(runs.c.conclusion != "", runs.c.opened_at < before)
            return c.execute(runs.delete().where(old)).rowcount


def _external(run: Run) -> str:
    return f"{run.target.key}:{run.check}"


def _where(target: Target) -> dict[str, Any]:
    return {
        "repo": target.repo.id,
        "number": target.number,
        "head": target.head,
        "base": target.base,
        "attempt": target.attempt,
    }


def _match(table: sa.Table, values: dict[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == value for name, value in values.items()))


def _joined(table: sa.Table) -> sa.Select[Any]:
    names = (repos.c.name, repos.c.installation, repos.c.branch)
    return sa.select(table, *names).join(repos, repos.c.id == table.c.repo)


def _target(row: sa.Row[Any]) -> Target:
    repo = Repo(row.repo, row.name, row.installation, row.branch)
    return Target(repo, row.number, row.head, row.base, row.attempt)
