"""The only caller of PyGithub: signs as the App, mints installation tokens, sends one request.

Of PyGithub we take the signing, the connection and its checks of where a request may go. Its own
retries are off (they repeat POST), and its lazy objects are not used (reading an attribute they
lack sends a request nobody asked for): answers are text, read by answers.py and appside.py.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from weakref import WeakSet

from github.Auth import AppAuth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)
from jwt import PyJWTError
from requests import RequestException

from bot.github import answers, appside, transport
from bot.github.errors import Denied, Limited, NotFound, Refused, Unavailable
from bot.github.line import Line
from bot.github.payloads import User
from bot.github.remembered import Remembered
from bot.github.repository import Repository
from bot.github.tokens import Minted, Tokens
from bot.github.transport import Body, Expired, Query, Reply, get, pages
from bot.github.values import Hook, Identity, Repo, Sent

GITHUB = "https://api.github.com"
VERSION = "2022-11-28"  # of GitHub's API
AGENT = "modelwarden"
SIGNED = 180.0  # seconds that a signature as the App is used; it holds for five minutes
TIMEOUT = 15  # seconds without a byte, of one request
# What our tokens may do, and no more: docs/github.md says why.
PERMISSIONS = {
    "checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write",
}  # fmt: skip

KEY = "give the private key that the App's settings page made, as PEM text"
ACCEPT = "accept the App's permissions on the installation's settings page"

# PyGithub writes whole answers, tokens among them, to its log at DEBUG: it gets a log of its own
# that no configuration reaches.
Requester.injectLogger(logging.Logger("modelwarden.github", logging.CRITICAL + 1))


def _held(response: RequestsResponse) -> RequestsResponse:
    # PyGithub follows a 301 by itself, and loses the query on the way: the page, the filter.
    response.status = 308 if response.status == 301 else response.status
    return response


class _Http(HTTPRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _held(super().getresponse())


class _Https(HTTPSRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _held(super().getresponse())


Requester.injectConnectionClasses(_Http, _Https)
# That also ends the reuse of connections, for tests of PyGithub's own.
setattr(Requester, "_Requester__persist", True)  # noqa: B010 - private: without it, only slower


class Connection:
    """One GitHub, its API at `url`, asked one request at a time with whatever rights are given."""

    def __init__(self, url: str = GITHUB) -> None:
        self._url = url.rstrip("/")
        self._strikes = 0
        self._threads = threading.local()
        self._open: WeakSet[Requester] = WeakSet()

    def close(self) -> None:
        """Close the connections."""
        for requester in tuple(self._open):
            requester.close()

    @property
    def _requester(self) -> Requester:
        """This thread's own: PyGithub keeps the request it is about to send on the connection, so
        two threads that share one may send each other's."""
        found: Requester | None = getattr(self._threads, "requester", None)
        if found is None:
            found = self._threads.requester = Requester(
                auth=None, base_url=self._url, timeout=TIMEOUT, user_agent=AGENT, per_page=100,
                verify=True, retry=None, pool_size=None, lazy=True, api_version=VERSION,
            )  # fmt: skip
            self._open.add(found)
        return found

    def send(
        self,
        verb: str,
        path: str,
        query: Query,
        body: Body,
        authorization: str,
        etag: str = "",
    ) -> Reply:
        """Send one request; an answer that is still that of `etag` is a 304. Raises GitHubError."""
        about = f"{verb} {path}"
        headers = {"Accept": "application/vnd.github+json"}
        if authorization:
            headers["Authorization"] = authorization
        if etag:
            headers["If-None-Match"] = etag
        lost = ""
        try:
            status, got, text = self._requester.requestJson(
                verb, path, dict(query or {}), headers, body
            )
        except (RequestException, OSError, RuntimeError, ValueError) as error:
            # What it holds (the request, its headers) stays here: only its kind goes on.
            lost = type(error).__name__
        else:
            if status < 300 and text.lstrip()[:1] not in ("", "{", "["):
                lost = "not JSON"
        if lost:
            raise Unavailable(f"no answer from GitHub to {about}: {lost}", transport.LATER)
        if status < 300 or (status == 304 and etag):
            self._strikes = 0
            return Reply(status, got, text)
        failed = transport.failure(status, got, text, about, time.time(), self._strikes)
        if isinstance(failed, Limited):
            self._strikes += 1
        raise failed


class GitHub(Connection):
    """GitHub as the App `app` sees it (the `Hub`). `key` is its private key, PEM text."""

    def __init__(
        self,
        app: int,
        key: str,
        *,
        url: str = GITHUB,
        web: str = "",
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(url)
        self.app = app
        self.web = web.rstrip("/") or appside.web(url)
        self._ticks = ticks
        self._sign = _signer(app, key)
        self._ahead = 0.0  # seconds that GitHub's clock is ahead of ours, once it said so
        self.remembered = Remembered()
        self.tokens = Tokens(self.mint, ticks)
        self._identity: Identity | None = None

    def __repr__(self) -> str:
        return f"GitHub(app={self.app}, url={self._url!r})"

    # What the App asks about itself

    def identity(self) -> Identity:
        """Return who we are; asked once, then remembered."""
        if self._identity is None:
            app = answers.read(get(self, "/app").text, appside.Application)
            path = f"/users/{app.slug}%5Bbot%5D"
            line = Line(self, next(self._installations(), 0), 0)
            bot = answers.account(answers.read(get(line, path).text, User))
            if app.id != self.app or bot is None or not bot.bot:
                raise Denied(f"the key is not that of App {self.app}", KEY)
            self._identity = app.value(bot)
        return self._identity

    def hook(self) -> Hook:
        """Return the App's webhook settings."""
        return answers.read(get(self, "/app/hook/config").text, appside.Hook).value

    def deliveries(self, since: str) -> Iterator[Sent]:
        """Yield deliveries since an ISO 8601 time, the newest first."""
        start, query = datetime.fromisoformat(since), dict[str, str | int](per_page=100)
        for _ in range(transport.MAX_PAGES):
            reply = get(self, "/app/hook/deliveries", query)
            for sent in answers.read(reply.text, tuple[appside.Sent, ...]):
                if datetime.fromisoformat(sent.delivered_at) < start:
                    return
                yield sent.value
            after = appside.cursor(reply.more)
            if not after:
                return
            query["cursor"] = after
        raise Unavailable("more deliveries than can be looked through at once", transport.LATER)

    def redeliver(self, delivery: int) -> None:
        """Ask for a new attempt of one delivery; asked once, a second would change nothing."""
        self.ask("POST", f"/app/hook/deliveries/{delivery:d}/attempts")

    def repositories(self) -> Iterator[Repo]:
        """Yield every repository of every installation that is not suspended."""
        for installation in self._installations():
            line = Line(self, installation, 0)
            for page in pages(line, "/installation/repositories"):
                for found in answers.read(page.text, appside.Repos).repositories:
                    yield answers.repository(found, installation)

    def _installations(self) -> Iterator[int]:
        for page in pages(self, "/app/installations"):
            for found in answers.read(page.text, tuple[appside.Installation, ...]):
                if found.suspended_at is None:
                    yield found.id

    def clock(self) -> float:
        """Return GitHub's time, in seconds since the epoch, from its Date header."""
        said = transport.moment(get(self, "/app").headers)
        if said is None:
            raise Unavailable("GitHub does not say what time it is", transport.LATER)
        return said

    def at(self, repo: Repo) -> Repository:
        """Return the way to one repository."""
        return Repository(repo, Line(self, repo.installation, repo.id))

    # Requests

    def ask(self, verb: str, path: str, query: Query = None, body: Body = None) -> Reply:
        """Ask once as the App itself; once more where only our clock was wrong."""
        try:
            return self.send(verb, path, query, body, f"Bearer {self._signed()}")
        except Expired as refused:
            if refused.date is None or abs(refused.date - time.time() - self._ahead) < 30:
                raise
            self._ahead = refused.date - time.time()
        return self.send(verb, path, query, body, f"Bearer {self._signed()}")

    def _signed(self) -> str:
        return self._sign(int(self._ahead))

    def mint(self, installation: int, repo: int, rights: Mapping[str, str] = PERMISSIONS) -> Minted:
        """Return a new token of an installation, for one repository (0: all, to list them)."""
        body: dict[str, object] = {"permissions": {"metadata": "read"}}
        if repo:
            body = {"permissions": dict(rights), "repository_ids": [repo]}
        asked = self._ticks()
        path = f"/app/installations/{installation:d}/access_tokens"
        try:
            reply = self.ask("POST", path, body=body)
        except Refused as error:
            if "permission" in error.message:
                raise Denied(error.message, ACCEPT) from error
            raise NotFound(error.message, transport.GONE) from error
        made = answers.read(reply.text, appside.Token)
        ends = datetime.fromisoformat(made.expires_at).timestamp()
        # By GitHub's clock and ours that only counts: neither has to show the right time.
        return Minted(made.token, asked + ends - (transport.moment(reply.headers) or time.time()))


def _signer(app: int, key: str) -> Callable[[int], str]:
    """Return what signs as the App, by a clock so many seconds ahead. Tries the key at once."""

    def sign(ahead: int) -> str:
        rs256 = AppAuth.create_jwt_sign(key, "RS256")

        def shifted(claims: dict[str, Any]) -> str | bytes:
            moved = {"iat": claims["iat"] + ahead, "exp": claims["exp"] + ahead}
            return rs256(claims | moved)

        return AppAuth(app, sign_func=shifted).token

    kept: dict[int, tuple[float, str]] = {}

    def signed(ahead: int) -> str:
        now = time.monotonic()
        if ahead not in kept or kept[ahead][0] < now:  # signing takes a tenth of a second
            kept[ahead] = (now + SIGNED, sign(ahead))
        return kept[ahead][1]

    try:
        signed(0)
    except (PyJWTError, ValueError, TypeError, AssertionError):
        usable = False
    else:
        usable = True
    if not usable:  # raised out here: what was caught may hold the key
        raise Denied("the App's private key cannot be used", KEY)
    return signed
