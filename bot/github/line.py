"""The way to GitHub with the rights of one installation: tokens, renames, answers already known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.github import appside
from bot.github.transport import Body, Expired, Moved, Query, Reply, patiently
from bot.github.values import Identity

if TYPE_CHECKING:
    from bot.github.client import GitHub

TEN = 600.0  # seconds a token must hold that somebody else uses


@dataclass(frozen=True, slots=True)
class Line:
    """The way to GitHub with the rights of one installation, on one repository (0: all).

    Installation 0 has no right at all: it sees what everybody may.
    """

    hub: GitHub
    installation: int
    repo: int

    def ask(self, verb: str, path: str, query: Query = None, body: Body = None) -> Reply:
        """Ask once; what is read is asked for with the ETag we know."""
        if verb != "GET":
            return self._send(verb, path, query, body, "")
        question = (self.installation, self.repo, path, *sorted((query or {}).items()))
        return self.hub.remembered.ask(
            question, lambda etag: self._send(verb, path, query, body, etag)
        )

    def _send(self, verb: str, path: str, query: Query, body: Body, etag: str) -> Reply:
        """Send; again where a repository that was renamed is now, by its own id only."""
        try:
            return self._signed(verb, path, query, body, etag)
        except Moved as moved:
            new = appside.moved(moved.location, self.repo)
            if not new:
                raise
        return self._signed(verb, new, query, body, etag)

    def _signed(self, verb: str, path: str, query: Query, body: Body, etag: str) -> Reply:
        """Send once; a token that is no longer accepted is minted again, once."""
        if not self.installation:
            return self.hub.send(verb, path, query, body, "", etag)
        token = self.hub.tokens.get(self.installation, self.repo)
        try:
            return self.hub.send(verb, path, query, body, f"Bearer {token}", etag)
        except Expired:
            self.hub.tokens.forget(self.installation, self.repo, token)
        token = self.hub.tokens.get(self.installation, self.repo)
        return self.hub.send(verb, path, query, body, f"Bearer {token}", etag)

    def lent(self, verb: str, path: str, body: Body, rights: Mapping[str, str]) -> Reply:
        """Ask once, with a token that has these rights instead of ours and is not kept.

        Raises Denied where the App was not given them.
        """
        made = patiently(lambda: self.hub.mint(self.installation, self.repo, rights))
        return self.hub.send(verb, path, None, body, f"Bearer {made.token}")

    def identity(self) -> Identity:
        """Return who we are."""
        return self.hub.identity()

    def token(self) -> str:
        """Return a token that holds for ten more minutes."""
        held: str = patiently(lambda: self.hub.tokens.get(self.installation, self.repo, TEN))
        return held

    def web(self) -> str:
        """Return the address that clone addresses begin with."""
        return self.hub.web
