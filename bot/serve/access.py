"""Who may see the pages: reports hold names and texts of repositories that may be private."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from bot.serve.settings import LOOPBACK, Settings

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_LONGEST = 4_000  # characters of a header that is compared


@dataclass(frozen=True, slots=True)
class Viewer:
    """What somebody may see: everything, or the repositories that are listed as public."""

    all: bool
    listed: frozenset[str] = frozenset()  # names in lower case; "*" for each

    def sees(self, repository: str) -> bool:
        """Whether the pages of owner/name are shown to this viewer."""
        return self.all or "*" in self.listed or repository.lower() in self.listed

    @property
    def anything(self) -> bool:
        """Whether there is anything to show at all."""
        return self.all or bool(self.listed)


def viewer(settings: Settings, headers: Mapping[str, str]) -> Viewer:
    """Return what the sender of these headers (names in lower case) may see."""
    token = settings.status_token.get_secret_value()
    listed = frozenset(name.lower() for name in settings.public_repositories)
    if token:
        return Viewer(_knows(token, headers.get("authorization", "")), listed)
    return Viewer(settings.on_loopback and _direct(headers), listed)


def _direct(headers: Mapping[str, str]) -> bool:
    """Whether a browser of this machine asks: no proxy says so, no strange name leads here."""
    host = headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name in LOOPBACK and not any(header in headers for header in _FORWARDED)


def _knows(token: str, given: str) -> bool:
    scheme, _, word = given[:_LONGEST].partition(" ")
    word = word.strip()
    if scheme.lower() == "basic":
        try:
            word = base64.b64decode(word, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, or no text in it
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(word.encode(), token.encode())
