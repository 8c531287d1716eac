"""What people decided: approvals, waivers, signatures, conflicts of interest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from bot.github.values import Target
from bot.people import ClaSignature
from bot.serve.contract import Approval, Waived
from bot.serve.records.store import Store
from bot.serve.records.tables import approvals, conflicts, signatures, waivers

MAX_REASON = 1000
MAX_WAIVERS = 2000


class People(Store):
    """Decisions, by the pull request or the account they are about."""

    def approve(self, approval: Approval) -> None:
        """Keep leave to load the weights of exactly these commits."""
        target = approval.target
        row: dict[str, Any] = {"repo": target.repo.id, "number": target.number}
        row |= {"head": target.head, "base": target.base}
        row |= {"check": approval.check, "suite": approval.suite, "voided": ""}
        row |= {"approver": approval.approver, "login": approval.login}
        with self.write() as c:
            self.put(c, approvals, row | {"at": approval.at, "expires_at": approval.expires_at})

    def approval(
        self, target: Target, check: str, now: float, suite: str | None = None
    ) -> Approval | None:
        """Return the newest leave for these commits that holds now; with a suite, one for it."""
        a = approvals.c
        query = (
            sa.select(approvals)
            .where(a.repo == target.repo.id, a.number == target.number)
            .where(a.head == target.head, a.base == target.base, a.check == check)
            .where(a.voided == "", a.expires_at > now, a.at <= now)
            .order_by(a.at.desc())
            .limit(1)
        )
        if suite is not None:
            query = query.where(a.suite.in_({"", suite}))
        for row in self.rows(query):
            who = (row.approver, row.login, row.at, row.expires_at)
            return Approval(target, row.check, row.suite, *who)
        return None

    def void(self, repo: int, number: int, reason: str, *, keep: str = "", by: int = 0) -> int:
        """End approvals of a pull request; but for those of the head `keep`, or of one approver.

        Returns how many ended.
        """
        a = approvals.c
        which = [a.repo == repo, a.number == number, a.voided == ""]
        if keep:
            which.append(a.head != keep)
        if by:
            which.append(a.approver == by)
        why = reason[:MAX_REASON] or "voided"
        with self.write() as c:
            return c.execute(approvals.update().where(*which).values(voided=why)).rowcount

    def waive(self, waived: Waived) -> None:
        """Keep a waiver; a later one of the same rule takes its place."""
        with self.write() as c:
            self.put(c, waivers, asdict(waived))

    def waived(self, repo: int, number: int = 0) -> tuple[Waived, ...]:
        """Return the waivers of a pull request, oldest first, also those that ran out.

        Without a number, the newest of the repository.
        """
        w = waivers.c
        mine = sa.select(waivers).where(w.repo == repo)
        mine = mine.where(w.number == number) if number else mine
        rows = self.rows(mine.order_by(w.at.desc(), w.rule.desc()).limit(MAX_WAIVERS))
        return tuple(Waived(**row._mapping) for row in reversed(rows))

    def sign(self, repo: int, signature: ClaSignature) -> None:
        """Keep a signature; the first of an account and document stays."""
        row = {"repo": repo, **asdict(signature)}
        with self.write() as c:
            self.add(c, signatures, row)

    def signatures(self, repo: int) -> tuple[ClaSignature, ...]:
        """Return the signatures of a repository, oldest first."""
        s = signatures.c
        names = (s.account, s.login, s.document, s.comment, s.repository, s.at)
        rows = self.rows(sa.select(*names).where(s.repo == repo).order_by(s.at, s.account))
        return tuple(ClaSignature(**row._mapping) for row in rows)

    def conflict(self, repo: int, number: int, account: int) -> None:
        """Remember that an account will not judge a pull request."""
        with self.write() as c:
            self.add(c, conflicts, {"repo": repo, "number": number, "account": account})

    def conflicted(self, repo: int, number: int, account: int) -> bool:
        """Whether an account said that it will not judge a pull request."""
        n = conflicts.c
        mine = sa.and_(n.repo == repo, n.number == number, n.account == account)
        return bool(self.rows(sa.select(n.repo).where(mine)))
