"""`modelwarden people`: asks GitHub whose the commits of a change are, with the token of this job.

What comes out is the file of `modelwarden check --people`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import ConfigDict

from bot.artifact import EVENT
from bot.errors import UsageError
from bot.github import answers, given
from bot.github.errors import Denied, Malformed
from bot.github.payloads import User, shape
from bot.people import People, dump
from bot.printing import write

RIGHTS = "give the job `contents: read`"
OWN = "give the event of this job, as the runner keeps it"
_STRICT = ConfigDict(strict=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Opened:
    """A pull request, as far as it says who opened it."""

    __pydantic_config__ = _STRICT

    user: User | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What started a job: a pull request, a group of a merge queue, or neither."""

    __pydantic_config__ = _STRICT

    pull_request: Opened | None = None
    merge_group: dict[str, Any] | None = None


def people(*, event: Path, base: str, head: str, output: Path) -> int:
    """Write who opened a change and whose its commits are. Return the exit code.

    Nothing is written where nobody opened it, as with a push.
    """
    with event.open("rb") as file:
        data = file.read(EVENT + 1)
    started = _read(data)
    if started.pull_request is None and started.merge_group is None:
        click.echo("Nobody is asked about: neither a pull request nor a merge group.")
        return 0
    try:
        api = given.here()
        commits = api.commit_accounts(base, head)
    except Denied as denied:
        raise Denied(denied.message, RIGHTS) from denied
    opened = started.pull_request
    author = answers.account(opened.user) if opened else api.line.identity().bot
    found = People(author or answers.GHOST, commits, queue=opened is None)
    write(dump(found).decode(), output)
    return 0


def _read(data: bytes) -> Event:
    if len(data) > EVENT:
        raise UsageError(f"an event of more than {EVENT:,} bytes", OWN)
    try:
        return shape(data, Event, "the event")
    except Malformed as error:
        raise UsageError(error.message, OWN) from error
