"""What GitHub says to the App itself: who it is, its webhook, its deliveries, its tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field

from bot.github import values
from bot.github.payloads import Repo
from bot.people import Account, Number, Time

_STRICT = ConfigDict(strict=True, extra="ignore")
_TOKEN = r"\A[A-Za-z0-9_.-]{1,2000}\z"  # GitHub's tokens grow longer with time


@dataclass(frozen=True, slots=True)
class Application:
    """The App."""

    __pydantic_config__ = _STRICT

    id: Number
    slug: Annotated[str, Field(pattern=r"\A[A-Za-z0-9_-]{1,100}\z")]
    permissions: dict[str, str]
    events: tuple[str, ...]

    def value(self, bot: Account) -> values.Identity:
        """Return the App as ours; `bot` is the account its comments carry."""
        granted = tuple(sorted(self.permissions.items()))
        return values.Identity(self.id, self.slug, bot, granted, tuple(sorted(self.events)))


@dataclass(frozen=True, slots=True)
class Hook:
    """The App's webhook; GitHub shows stars where there is a secret."""

    __pydantic_config__ = _STRICT

    url: str = ""
    content_type: str = ""
    insecure_ssl: str | int | float = "0"
    secret: str | None = None

    @property
    def value(self) -> values.Hook:
        """The webhook as ours."""
        unsafe = str(self.insecure_ssl) not in ("0", "0.0")
        return values.Hook(self.url, self.content_type, unsafe, bool(self.secret))


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery in GitHub's log."""

    __pydantic_config__ = _STRICT

    id: Annotated[int, Field(ge=1, le=2**63)]  # larger than what a float holds
    guid: str
    event: str
    status_code: int | None
    delivered_at: Time
    redelivery: bool = False

    @property
    def value(self) -> values.Sent:
        """The delivery as ours."""
        return values.Sent(
            self.id,
            self.guid,
            self.event,
            self.status_code or 0,
            self.delivered_at,
            self.redelivery,
        )


@dataclass(frozen=True, slots=True)
class Token:
    """An installation token."""

    __pydantic_config__ = _STRICT

    token: Annotated[str, Field(pattern=_TOKEN, repr=False)]
    expires_at: Time

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at!r})"


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation of the App."""

    __pydantic_config__ = _STRICT

    id: Number
    suspended_at: str | None = None


@dataclass(frozen=True, slots=True)
class Repos:
    """A page of an installation's repositories."""

    __pydantic_config__ = _STRICT

    repositories: tuple[Repo, ...]


def cursor(address: str) -> str:
    """Return the cursor of the next page of deliveries, "" where there is none."""
    found = re.search(r"[?&]cursor=([A-Za-z0-9_%.=-]{1,200})", address)
    return found[1].replace("%3D", "=") if found else ""


def moved(location: str, repo: int) -> str:
    """Return the path a repository's address was redirected to, "" unless it is that repository."""
    found = re.search(rf"/repositories/{repo:d}(?:/[!-~]*)?\Z", urlsplit(location).path)
    return found[0] if repo and found else ""


def web(url: str) -> str:
    """Return where repositories are fetched from, by the address of the API."""
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("api.")
    return f"{parts.scheme}://{host}"
