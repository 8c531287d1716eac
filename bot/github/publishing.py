"""Publishes runs and the comment, each exactly once: look first, write, remember.

Every method may run again after a crash at any point.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bot.github import checkruns, comment
from bot.github.errors import NotFound, Unavailable
from bot.github.values import Api, CheckRun, Comment, RunBody, Target
from bot.serve.contract import Run
from bot.serve.records import Records

LEASE = 60.0  # seconds that one process may take to look at one thing and to write it
_TURNS = tuple(threading.Lock() for _ in range(64))  # of this process, whose lease is one


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes to one repository. `bot` is the account id of our comments, `holder` this process."""

    api: Api
    records: Records
    bot: int
    holder: str
    clock: Callable[[], float]

    def open(
        self,
        target: Target,
        checks: Sequence[str],
        url: str = "",
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Show a run in progress for the summary and each check, while they are `wanted`."""
        with self._alone(_place(target)) as prolong:
            for check in ("", *checks):
                prolong()
                if not wanted():  # whoever ended the job ends the runs that are there
                    return
                if self.records.run_named(checkruns.external_id(target, check)) is None:
                    run = self.api.create_run(checkruns.waiting(target, check, url))
                    self.records.opened(Run(target, check, run.id, self.clock()))

    def conclude(self, target: Target, bodies: Mapping[str, RunBody]) -> None:
        """End runs, by check; one that has ended already stays as it is."""
        if all(self._ended(body) for body in bodies.values()):
            return
        with self._alone(_place(target)) as prolong:
            self._end(target, bodies, prolong)

    def _end(
        self, target: Target, bodies: Mapping[str, RunBody], prolong: Callable[[], None]
    ) -> None:
        shown = {run.external_id: run for run in self.api.runs(target.head)}
        for check, body in bodies.items():
            prolong()
            if not self._ended(body):
                self._conclude(target, check, body, shown.get(body.external_id))

    @contextmanager
    def _alone(self, name: str) -> Iterator[Callable[[], None]]:
        """Let nobody else look and write meanwhile, here or in another process."""

        def prolong() -> None:
            now = self.clock()
            if not self.records.lease(name, self.holder, now + LEASE, now):
                raise Unavailable("another process is publishing the same", "it is tried again")

        with _TURNS[hash(name) % len(_TURNS)]:
            prolong()
            try:
                yield prolong
            finally:
                self.records.release(name, self.holder)

    def _ended(self, body: RunBody) -> bool:
        known = self.records.run_named(body.external_id)
        return known is not None and bool(known.conclusion)

    def _conclude(self, target: Target, check: str, body: RunBody, run: CheckRun | None) -> None:
        if run is None:
            run = self.api.create_run(checkruns.waiting(target, check, body.details_url))
        if self.records.run_named(body.external_id) is None:
            self.records.opened(Run(target, check, run.id, self.clock()))
        if run.status != "completed":
            run = self.api.update_run(run, body)
        self.records.concluded(target, check, run.conclusion or str(body.conclusion))

    def open_checks(self, target: Target) -> tuple[str, ...]:
        """Return the checks of a target whose runs are open; "" is the summary's."""
        every = self.records.open_runs(target.repo.id, target.number)
        return tuple(run.check for run in every if run.target.key == target.key)

    def stop(self, targets: Iterable[Target], reason: str) -> None:
        """End the open runs of these targets without an answer, whenever they were opened.

        A commit that is gone has no run to end.
        """
        for target in targets:
            checks: tuple[str, ...] = ()
            try:
                with self._alone(_place(target)) as prolong:
                    checks = self.open_checks(target)
                    bodies = {check: checkruns.stopped(target, check, reason) for check in checks}
                    if bodies:
                        self._end(target, bodies, prolong)
            except NotFound:
                for check in checks:
                    self.records.concluded(target, check, "gone")

    def sticky(self, number: int, body: str) -> None:
        """Show the one comment of a pull request: edit ours, or write it."""
        with self._alone(f"comment:{self.api.repo.id}:{number}"):
            self._sticky(number, body)

    def _sticky(self, number: int, body: str) -> None:
        found = self._ours(number, comment.MARKER)
        if found is not None and found.body.strip() == body.strip():
            return
        if found is not None:
            try:
                self.api.update_comment(found.id, body)
            except NotFound:
                found = None  # deleted since
        if found is None:
            self.api.create_comment(number, body, comment.MARKER)

    def reply(self, number: int, marker: str, body: str) -> None:
        """Answer once: a comment of ours that begins with `marker` is the answer."""
        if self._ours(number, marker) is None:
            self.api.create_comment(number, body, marker)

    def _ours(self, number: int, marker: str) -> Comment | None:
        return next(
            (
                c
                for c in self.api.comments(number)
                if c.author.id == self.bot and c.body.startswith(marker)
            ),
            None,
        )


def _place(target: Target) -> str:
    """Name what only one may write at a time: the runs of one pull request's commit."""
    return f"runs:{target.repo.id}:{target.number}:{target.head}"
