"""What the rooms of the server hand each other: durable rows, jobs and their steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bot.github.values import Repo, Target
from bot.people import ClaSignature

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]  # JSON
T = TypeVar("T", bound=Plain)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook delivery whose signature held. `id` is GitHub's GUID, `body` the raw bytes."""

    id: str
    event: str
    body: bytes
    received_at: float = 0.0  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class Run:
    """A check run we opened. `conclusion` is "" until it is concluded on GitHub."""

    target: Target
    check: str  # "" for the summary run
    run: int
    opened_at: float
    conclusion: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Leave to load the weights of one change, bound to exactly these commits."""

    target: Target  # its attempt does not count
    check: str
    suite: str  # "" for all of the policy's
    approver: int
    login: str
    at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding accepted on one pull request by a comment, as it is at the head."""

    repo: int
    number: int
    rule: str
    until: str  # ISO date
    reason: str
    by: int
    login: str
    comment: int
    at: float
    head: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One kept report: the JSON of `bot/report/json.py`, and what it says in one line, `title`.

    `part` is "static" or "measure".
    """

    target: Target
    part: str
    report: bytes
    outcome: str
    title: str
    at: float


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value of the default branch; low and high are None where unknown."""

    repo: int
    commit: str
    at: float
    name: str  # "suite: metric"
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit trail: who did what to which pull request."""

    at: float
    repo: int
    number: int
    actor: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in a queue, or running; `position` counts from 1 in its queue, 0 where it runs."""

    key: str
    kind: str
    queue: str
    position: int
    since: float
    about: str  # "acme/tiny#7"
    worker: str = ""


class Records(Protocol):
    """The durable rows of the server, in SQLite or PostgreSQL. Each method is one transaction.

    Writing the same row again changes nothing: every method may be repeated after a crash.
    """

    # Deliveries: the inbox. `accept` is the one insert before a webhook is acknowledged.

    def accept(self, delivery: Delivery) -> bool:
        """Keep a delivery, durable when this returns. False: it is known."""

    def waiting(self, limit: int) -> tuple[Delivery, ...]:
        """Return deliveries that are not settled yet, oldest first."""

    def delivery(self, id: str) -> Delivery | None:
        """Return a delivery; None where it is unknown or settled."""

    def settled(self, notes: Mapping[str, str]) -> None:
        """Write what came of deliveries, by id, and drop their bodies."""

    # Check runs we opened, so that each is concluded.

    def know(self, repo: Repo) -> None:
        """Remember a repository by the name and the installation it has now."""

    def opened(self, run: Run) -> None:
        """Remember a check run that is open on GitHub."""

    def concluded(self, target: Target, check: str, conclusion: str) -> None:
        """Remember how GitHub shows a run's end."""

    def open_runs(self, repo: int, number: int) -> tuple[Run, ...]:
        """Return the runs of a pull request that have no conclusion yet."""

    def stale_runs(self, before: float) -> tuple[Run, ...]:
        """Return the runs opened before a time that have no conclusion yet."""

    def run_named(self, external_id: str) -> Run | None:
        """Return the run of this external id."""

    # Reports.

    def keep(self, judged: Judged) -> None:
        """Keep a report, and the newest few of its pull request."""

    def judged(self, target: Target, part: str) -> Judged | None:
        """Return the report of a target; None where there is none, or no longer."""

    def latest(self, repo: int, limit: int, number: int | None = None) -> tuple[Judged, ...]:
        """Return the newest report of each pull request and part, or of one, newest first."""

    def repos(self) -> tuple[Repo, ...]:
        """Return the repositories that have reports, runs or points."""

    # People's decisions.

    def approve(self, approval: Approval) -> None:
        """Keep leave to load the weights of exactly these commits."""

    def approval(
        self, target: Target, check: str, now: float, suite: str | None = None
    ) -> Approval | None:
        """Return the newest leave for these commits that holds now, and covers the suite."""

    def void(self, repo: int, number: int, reason: str, *, keep: str = "", by: int = 0) -> int:
        """End approvals, but for those of the head `keep`; `by`: one approver's. How many ended."""

    def waive(self, waived: Waived) -> None:
        """Keep a waiver; a later one of the same rule takes its place."""

    def waived(self, repo: int, number: int) -> tuple[Waived, ...]:
        """Return the waivers of a pull request, also those that ran out."""

    def sign(self, repo: int, signature: ClaSignature) -> None:
        """Keep a signature; the first of an account and document stays."""

    def signatures(self, repo: int) -> tuple[ClaSignature, ...]:
        """Return the signatures of a repository, oldest first."""

    def conflict(self, repo: int, number: int, account: int) -> None:
        """Remember that an account will not judge a pull request."""

    def conflicted(self, repo: int, number: int, account: int) -> bool:
        """Whether an account said that it will not judge a pull request."""

    # GPU minutes.

    def spend(self, target: Target, author: int, minutes: float, now: float) -> None:
        """Count the GPU minutes of one target."""

    def spent(self, *, repo: int = 0, author: int = 0, since: float) -> float:
        """Return the minutes since a time, of a repository, an author, both, or all."""

    def past_minutes(self, repo: int, limit: int) -> tuple[float, ...]:
        """Return the minutes of the newest runs of a repository, oldest first."""

    # Measurements of the default branch, and the audit trail.

    def measured(self, points: tuple[Point, ...]) -> None:
        """Keep values of commits of the default branch."""

    def points(self, repo: int, limit: int) -> tuple[Point, ...]:
        """Return the newest values of a repository, oldest first."""

    def note(self, event: Event) -> None:
        """Add a line to the audit trail."""

    def events(self, repo: int, limit: int) -> tuple[Event, ...]:
        """Return the newest lines of the audit trail, the newest first."""

    # Leases: one holder at a time, over all processes; one that has run out may be taken.

    def lease(self, name: str, holder: str, until: float, now: float) -> bool:
        """Take or prolong a lease until a time. Returns whether `holder` has it."""

    def release(self, name: str, holder: str) -> None:
        """Give a lease back, where `holder` has it."""

    # Workers: who is alive, so that the work of the dead is taken over.

    def beat(self, worker: str, about: str, now: float) -> None:
        """Say that a worker lives."""

    def dead(self, before: float) -> tuple[str, ...]:
        """Return the workers whose last sign of life is older."""

    def buried(self, worker: str) -> None:
        """Forget a worker whose work was taken over."""

    def ping(self) -> None:
        """Raise StoreError where the database does not answer."""

    def close(self) -> None:
        """Close all connections."""


class Steps(Protocol):
    """One durable job as it runs. What `run` returned once is returned again after a crash."""

    @property
    def key(self) -> str:
        """The job's key."""

    def run(self, name: str, act: Callable[[], T]) -> T:
        """Do `act` once and remember its result, which must be JSON.

        A rate limit parks the job until it ends; an unavailable GitHub is asked again later.
        After a crash `act` may run again although it had run: it must look before it writes.
        """

    def pause(self, seconds: float) -> None:
        """Sleep durably."""


class Jobs(Protocol):
    """Durable jobs. `kind` names a flow; its queue is chosen by kind."""

    def put(
        self, kind: str, key: str, payload: Mapping[str, Plain], *, author: int = 0, repo: int = 0
    ) -> None:
        """Enqueue once per (kind, key): a second put of the same changes nothing."""

    def cancel(self, kind: str, key: str) -> None:
        """End a job that waits or runs; nothing where there is none. It stops at its next step."""

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what waits or runs, in order."""

    def alive(self, kind: str, key: str) -> bool:
        """Whether the job waits or runs: False for one that ended or never was."""

    def forget(self, kind: str, key: str) -> None:
        """Drop a job that has ended: a new put of it starts it again."""
