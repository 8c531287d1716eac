"""What a command is judged by, and what comes of it. Frozen values; a flow gathers and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bot.finding import Rule
from bot.github.values import Pull, Role
from bot.people import Account, ClaSignature
from bot.serve.contract import Approval, Waived
from bot.talk.quota import Left

WAIVER_DAYS = 90  # the longest loan a comment can give
APPROVAL_SECONDS = 72 * 3_600.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that an answer depends on, read from the API and the records just before.

    `role` is `who`'s now; `checks` are the names that can be run, `suites` those of the policy at
    the base; `document` is the SHA-256 of the contributor agreement at the base, None where the
    project has none, and `signed` whether `who` has signed that very text. `approval` is the one
    that holds now. `under_way`: something of the pull request runs or waits. `estimate` is in
    minutes, `now` in seconds since the epoch. `unwaiving` says why the trust file at the base
    does not let `who` waive, "" where it does or there is none; `unreleasing` the same of the
    policy at the base and releasing.
    """

    pull: Pull
    who: Account
    comment: int
    role: Role
    now: float
    checks: tuple[str, ...]
    rules: Mapping[str, Rule]
    left: Left
    estimate: float
    suites: tuple[str, ...] = ()
    conflicted: bool = False
    unwaiving: str = ""
    unreleasing: str = ""
    document: str | None = None
    signed: bool = False
    approval: Approval | None = None
    under_way: bool = False
    approval_seconds: float = APPROVAL_SECONDS
    waiver_days: int = WAIVER_DAYS

    @property
    def today(self) -> date:
        """The day of UTC."""
        return datetime.fromtimestamp(self.now, UTC).date()

    @property
    def own(self) -> bool:
        """Whether the pull request is by whoever speaks."""
        return self.who.id == self.pull.author.id


@dataclass(frozen=True, slots=True)
class Recheck:
    """Judge the pull request again; no names: every check."""

    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Approve:
    """Keep an approval and enqueue the run it is for."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Cancel:
    """End what runs or waits and void approvals; `reason` is what the check runs say."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waive:
    """Keep a waiver and judge again what is known."""

    waived: Waived


@dataclass(frozen=True, slots=True)
class SignCla:
    """Keep a signature and judge the contributors again."""

    signature: ClaSignature


@dataclass(frozen=True, slots=True)
class Declare:
    """Keep that an account has a conflict of interest here, and end the approvals it gave."""

    account: int


@dataclass(frozen=True, slots=True)
class Release:
    """Start the project's own workflow for the merged pull request; "" lets it choose a version."""

    version: str = ""


Effect = Recheck | Approve | Cancel | Waive | SignCla | Declare | Release


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to one command, as markdown, and what is done. A refusal does nothing.

    `line` is the command as it was typed, "" where the answer is to the comment as a whole.
    """

    text: str
    effects: tuple[Effect, ...] = ()
    refused: bool = False
    line: str = ""


def refuse(why: str, remedy: str = "") -> Answer:
    """Return a refusal; both texts are markdown."""
    return Answer(f"**Not done:** {why}" + (f"\n\n{remedy}" if remedy else ""), refused=True)
