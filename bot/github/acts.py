"""What a delivery asks of us. `bot/github/events.py` reads it, `bot/serve/flows` does it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.github.values import Repo, Target
from bot.people import Account


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge a pull request (or merge group, number 0) as this delivery describes it."""

    target: Target
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End what is under way for a pull request; `reason` is what its check runs will say."""

    repo: Repo
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Somebody wrote a comment on a pull request. Its text is read again from the API."""

    repo: Repo
    number: int
    comment: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class Rerun:
    """Somebody asked GitHub to run a check again; `check` is "" for the whole suite."""

    repo: Repo
    head: str
    check: str
    attempt: str
    sender: Account


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button of the check run `external_id` of `head`."""

    repo: Repo
    head: str
    run: int
    external_id: str
    identifier: str
    sender: Account


@dataclass(frozen=True, slots=True)
class Pushed:
    """The default branch has a new head."""

    repo: Repo
    head: str


@dataclass(frozen=True, slots=True)
class Installed:
    """Repositories that the App may see from now on: their open pull requests are judged.

    None is named where GitHub does not say which (an installation that is no longer suspended).
    """

    repos: tuple[Repo, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """Repositories that the App may no longer see: their mirrors and queued jobs go."""

    repos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and why."""

    reason: str


Act = Judge | Stop | Talk | Rerun | Press | Pushed | Installed | Removed | Ignored
