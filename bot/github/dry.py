"""A dry run: everything is read from GitHub, nothing is written but lines of the log."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.github.values import (
    Api,
    CheckRun,
    Comment,
    Hook,
    Hub,
    Identity,
    Pull,
    Repo,
    Required,
    Role,
    RunBody,
    Sent,
)
from bot.people import CommitAccount

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DryApi:
    """Reads through `real`; each write becomes a line of `log`."""

    real: Api
    log: Log
    bot: Identity
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def repo(self) -> Repo:
        """The repository."""
        return self.real.repo

    def pull(self, number: int) -> Pull:
        """Read through."""
        return self.real.pull(number)

    def open_pulls(self) -> Iterator[Pull]:
        """Read through."""
        return self.real.open_pulls()

    def pulls_with_head(self, head: str) -> tuple[Pull, ...]:
        """Read through."""
        return self.real.pulls_with_head(head)

    def role(self, login: str) -> Role:
        """Read through."""
        return self.real.role(login)

    def commit_accounts(self, base: str, head: str) -> tuple[CommitAccount, ...]:
        """Read through."""
        return self.real.commit_accounts(base, head)

    def runs(self, head: str, name: str = "") -> tuple[CheckRun, ...]:
        """Read through."""
        return self.real.runs(head, name)

    def comment(self, comment: int) -> Comment | None:
        """Read through."""
        return self.real.comment(comment)

    def comments(self, number: int) -> Iterator[Comment]:
        """Read through."""
        return self.real.comments(number)

    def required_checks(self, branch: str) -> tuple[Required, ...]:
        """Read through."""
        return self.real.required_checks(branch)

    def token(self) -> str:
        """Read through."""
        return self.real.token()

    def clone_url(self) -> str:
        """Read through."""
        return self.real.clone_url()

    def create_run(self, body: RunBody) -> CheckRun:
        """Log the run."""
        self._say(f"check run '{body.name}' on {body.head[:12]}: {body.status}")
        return self._run(next(self.numbers), body)

    def update_run(self, run: CheckRun, body: RunBody) -> CheckRun:
        """Log what the run would show."""
        shown = f"{body.conclusion or body.status}, {body.title}"
        self._say(f"check run '{body.name}' on {body.head[:12]}: {shown}")
        return self._run(run.id, body)

    def create_comment(self, number: int, body: str, marker: str) -> Comment:
        """Log the comment."""
        self._say(f"comment on #{number}: {_first_line(body)}")
        return Comment(next(self.numbers), self.bot.bot, body, "", "", self.bot.app)

    def update_comment(self, comment: int, body: str) -> Comment:
        """Log the comment."""
        self._say(f"comment {comment} edited: {_first_line(body)}")
        return Comment(comment, self.bot.bot, body, "", "", self.bot.app)

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> str:
        """Log what would be started."""
        given = ", ".join(f"{name} {value}" for name, value in inputs.items() if value)
        self._say(f"workflow {workflow} started: {given}")
        return ""

    def _run(self, number: int, body: RunBody) -> CheckRun:
        shown = len(body.annotations)
        return CheckRun(
            number,
            body.name,
            body.head,
            body.external_id,
            body.status,
            str(body.conclusion or ""),
            shown,
        )

    def _say(self, line: str) -> None:
        self.log(f"dry run, not sent to {self.repo.name}: {line}")


def _first_line(body: str) -> str:
    lines = (line.strip() for line in body.splitlines())
    return next((line for line in lines if line and not line.startswith("<!--")), "")[:200]


@dataclass(frozen=True, slots=True)
class DryHub:
    """GitHub as the App sees it, without a way to write."""

    real: Hub
    log: Log

    def identity(self) -> Identity:
        """Read through."""
        return self.real.identity()

    def hook(self) -> Hook:
        """Read through."""
        return self.real.hook()

    def deliveries(self, since: str) -> Iterator[Sent]:
        """Read through."""
        return self.real.deliveries(since)

    def redeliver(self, delivery: int) -> None:
        """Log it."""
        self.log(f"dry run, not asked for again: delivery {delivery}")

    def repositories(self) -> Iterator[Repo]:
        """Read through."""
        return self.real.repositories()

    def clock(self) -> float:
        """Read through."""
        return self.real.clock()

    def at(self, repo: Repo) -> DryApi:
        """Return the way to one repository, for reading."""
        return DryApi(self.real.at(repo), self.log, self.identity())
