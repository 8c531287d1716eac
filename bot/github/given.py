"""One repository with a token that somebody else minted: what a job of GitHub Actions is given."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bot.errors import UsageError
from bot.github import answers, appside
from bot.github.client import GITHUB, Connection
from bot.github.errors import Denied, NotFound, Unavailable
from bot.github.payloads import Repo, User
from bot.github.repository import Repository
from bot.github.transport import GONE, Body, Query, Reply, get
from bot.github.values import Identity
from bot.people import Account

RIGHTS = "look at GITHUB_TOKEN: it is not valid any more, or its job lacks a permission"
LATER = "run it again later: what is done is not done again; see githubstatus.com"
ACTIONS = "github-actions[bot]"  # who a job's own token writes as

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_TOKEN = re.compile(r"[!-~]{1,4000}")


@dataclass(frozen=True, slots=True)
class Given:
    """The way to GitHub with a token that is used as it is, and that writes as `bot`."""

    connection: Connection
    secret: str = field(repr=False)
    url: str
    bot: Account

    def ask(self, verb: str, path: str, query: Query = None, body: Body = None) -> Reply:
        """Ask once; an error advises whoever gave the token, not the operator of an App."""
        try:
            return self.connection.send(verb, path, query, body, f"Bearer {self.secret}")
        except Denied as error:
            error.hint = RIGHTS
            raise
        except Unavailable as error:
            error.hint = LATER
            raise

    def lent(self, verb: str, path: str, body: Body, rights: Mapping[str, str]) -> Reply:
        """Ask once: the token has the rights that the job gave it, and no others."""
        return self.ask(verb, path, body=body)

    def identity(self) -> Identity:
        """Return who we are: no App of ours, so no check run is ours either."""
        return Identity(0, "", self.bot, (), ())

    def token(self) -> str:
        """Return the token."""
        return self.secret

    def web(self) -> str:
        """Return the address that clone addresses begin with."""
        return appside.web(self.url)


def here() -> Repository:
    """Return the repository of the job that this process is a step of.

    GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL say so. Raises UsageError, GitHubError.
    """
    told = os.environ.get
    url = told("GITHUB_API_URL") or GITHUB
    return repository(url, told("GITHUB_TOKEN", ""), told("GITHUB_REPOSITORY", ""))


def repository(url: str, token: str, name: str, login: str = ACTIONS) -> Repository:
    """Return the `Api` of the repository `name` with a token that writes as the account `login`.

    `url` is the API's address; "" for `login` is whoever the token is of. Raises UsageError,
    GitHubError.
    """
    if not _TOKEN.fullmatch(token):
        raise UsageError("there is no token of GitHub", "give the job's as GITHUB_TOKEN")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is no repository", "give owner/name as GITHUB_REPOSITORY")
    connection = Connection(url)
    line = Given(connection, token, url, answers.GHOST)
    whose = f"/users/{quote(login)}" if login else "/user"
    bot = answers.account(answers.read(get(line, whose).text, User))
    if bot is None or (login and not bot.bot):
        raise NotFound(f"{login} is no bot of this GitHub", GONE)
    found = answers.read(get(line, f"/repos/{name}").text, Repo)
    return Repository(answers.repository(found, 0), Given(connection, token, url, bot))
