"""What the rooms of the server hand each other: durable rows, jobs and their steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bot.github.values import Target

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


Flow = Callable[[Steps, Mapping[str, Plain]], Plain]  # what one kind of job does


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
