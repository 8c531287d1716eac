"""What every flow works with, and the questions they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

from bot import catalog
from bot.check import Check
from bot.finding import Rule
from bot.github.checkruns import external_id
from bot.github.mirror import Mirrors
from bot.github.publishing import Publisher
from bot.github.values import Api, Hub, Pull, Target
from bot.serve.contract import Event, Jobs, Judged, Plain, Waived
from bot.serve.records import Records
from bot.talk.quota import Limits

JUDGE, MEASURE = "judge", "measure"
STATIC = "static"  # the part of a report that needs no model
SUPERSEDED = "superseded"  # what GitHub shows as cancelled, and nobody asked for
ENDED = ("cancelled", SUPERSEDED)


@dataclass(frozen=True)
class Warden:
    """The parts of a running server. `holder` names this process, `link` a report's page.

    `approval_seconds` is how long leave to load weights holds; `variables` are names of what
    fetching weights needs in the environment.
    """

    hub: Hub
    records: Records
    jobs: Jobs
    mirrors: Mirrors
    limits: Limits
    holder: str
    cache: Path | None = None
    plugins: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    approval_seconds: float = 72 * 3600.0
    link: Callable[[Target], str] = field(default=lambda target: "")
    clock: Callable[[], float] = time.time
    log: Callable[[str], None] = field(default=lambda line: None)

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every check that is switched on here."""
        return catalog.checks(self.plugins)

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by id."""
        return catalog.rules(self.checks)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The checks as the report lists them."""
        return (*(check.NAME for check in self.checks), "policy")

    @cached_property
    def loading(self) -> tuple[str, ...]:
        """The checks that load the change's weights."""
        return catalog.loading(self.checks)

    @cached_property
    def reading(self) -> tuple[str, ...]:
        """The checks that only read."""
        return tuple(check.NAME for check in self.checks if check.NAME not in self.loading)

    @property
    def today(self) -> date:
        """The day by which waivers are judged, UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).date()

    def publisher(self, api: Api) -> Publisher:
        """Return what writes to one repository."""
        bot = self.hub.identity().bot.id
        return Publisher(api, self.records, bot, self.holder, self.clock)

    def put(self, kind: str, target: Target, *, author: int = 0, **more: Plain) -> None:
        """Start a job about a target, once."""
        from bot.serve.flows.payload import pack

        about = f"{target.repo.name}#{target.number}" if target.number else target.repo.name
        payload = {"target": pack(target), "about": about, **more}
        self.jobs.put(kind, target.key, payload, author=author, repo=target.repo.id)

    def judge(self, target: Target, ended: tuple[str, ...] = ENDED) -> None:
        """Judge a target unless that was done: also one whose judging was cut short before.

        A head may come back, as by a force-push; it is the same target then.
        """
        while (run := self.records.run_named(external_id(target, ""))) is not None:
            if run.conclusion not in ended:
                break
            target = replace(target, attempt=f"n{run.run}")
        if run is None:  # a job that ended before it could announce itself
            self.jobs.forget(JUDGE, target.key)
        self.put(JUDGE, target)

    def note(self, target: Target, actor: str, what: str, detail: str = "") -> None:
        """Add a line to the audit trail."""
        repo = target.repo.id
        self.records.note(Event(self.clock(), repo, target.number, actor, what, detail))

    def current(self, api: Api, target: Target) -> str:
        """Return "" while the target is what the pull request is, else why it is not."""
        if not target.number:
            return ""
        pull = api.pull(target.number)
        if pull.state != "open":
            return "the pull request is closed"
        if pull.draft and not target.attempt.startswith("c"):
            return "the pull request is a draft"
        if pull.head != target.head:
            return f"superseded: the head is now {pull.head[:12]}"
        if pull.base != target.base:
            return f"superseded: the base is now {pull.base[:12]}"
        return ""

    def waived(self, target: Target, commits: Collection[str] = ()) -> tuple[Waived, ...]:
        """Return the waivers made by comment that hold for exactly this head.

        In a group of the merge queue, those of the heads that are among its `commits`.
        """
        heads = {target.head} if target.number else set(commits)
        rows = self.records.waived(target.repo.id, target.number)
        return tuple(row for row in rows if row.head in heads)

    def measured(self, target: Target) -> Judged | None:
        """Return the newest measurement of the same two commits, by any attempt."""
        kept = self.records.latest(target.repo.id, 500)
        return next((j for j in kept if j.part == MEASURE and same_commits(j.target, target)), None)


def target_of(pull: Pull, attempt: str = "") -> Target:
    """Return the target of a pull request as it is now."""
    return Target(pull.repo, pull.number, pull.head, pull.base, attempt)


def same_commits(one: Target, other: Target) -> bool:
    """Whether two targets differ in nothing but the attempt, and what the repository is called."""
    return replace(one, attempt="").key == replace(other, attempt="").key
