"""Who is a tool: an AI or another bot. Only a person can give the word that a sign-off is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from bot.checks.contributors.agents import AGENTS
from bot.checks.contributors.person import NOREPLY, Person

_BOT = "[bot]"
_LONGEST = 200  # characters of a name that are compared
_ENDS = frozenset(" (:/-,[]@.")  # what may follow a tool's name: a model, a version, an address


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as it is called; `ai` tells an AI from other bots."""

    name: str
    ai: bool


@dataclass(frozen=True, slots=True)
class Tools:
    """What counts as a tool: what is known, and the policy's own `accounts`.

    `commits` are those whose author the platform calls a bot.
    """

    accounts: frozenset[str] = frozenset()
    commits: frozenset[str] = frozenset()

    def of(self, who: Person, commit: str = "") -> Tool | None:
        """Return which tool somebody is, None for a person; `commit` is where it is the author."""
        found = _by_address(who.key, self.accounts) or _by_name(who)
        if found is None and commit in self.commits:
            return Tool(who.name, ai=False)
        return found

    def key(self, key: str) -> bool:
        """Whether an address, as a key, is a tool's."""
        return _by_address(key, self.accounts) is not None


def tools(accounts: Iterable[str] = (), commits: Iterable[str] = ()) -> Tools:
    """Return the tools of a policy; `accounts` are addresses or logins, in any case."""
    return Tools(frozenset(a.lower() for a in accounts), frozenset(commits))


def named(text: str) -> str:
    """Return the AI that a text begins with ("Claude:opus"), or "".

    Here the word alone is enough: it stands where a tool is meant, not a person.
    """
    return _named(fold(text), _words())


def _by_address(key: str, accounts: frozenset[str]) -> Tool | None:
    if not key:
        return None
    address, login = key.lower(), ""
    if address.endswith(NOREPLY):
        login = address.removesuffix(NOREPLY).rpartition("+")[2]
    name = _accounts().get(login or address, "")
    if name or address in accounts or (login and login in accounts):
        return Tool(name or login or address, ai=True)
    return Tool(login, ai=False) if login.endswith(_BOT) else None


def _by_name(who: Person) -> Tool | None:
    folded = fold(who.name)
    name = _named(folded, _titles())
    if name:
        return Tool(name, ai=True)
    if not who.address and folded in _words():
        return Tool(_words()[folded], ai=True)
    login = _accounts().get(folded, "") if folded.endswith(_BOT) else ""
    if login:
        return Tool(login, ai=True)
    return Tool(who.name.strip(), ai=False) if folded.endswith(_BOT) else None


def _named(folded: str, words: Mapping[str, str]) -> str:
    if not folded.startswith(tuple(words)):  # at once: nearly nobody is a tool
        return ""
    return next((name for start, name in words.items() if _begins(folded, start)), "")


def _begins(text: str, start: str) -> bool:
    rest = text[len(start) :]
    return text.startswith(start) and (not rest or not start[-1].isalnum() or rest[0] in _ENDS)


def fold(text: str) -> str:
    """Return a name for comparison: compatible letters, one case, one blank, nothing unseen."""
    if text.isascii() and text.isprintable():
        return " ".join(text[:_LONGEST].lower().split())
    whole = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold()
    seen = "".join(c for c in whole if unicodedata.category(c) not in ("Cf", "Cc", "Mn"))
    return " ".join(seen.split())


@cache
def _accounts() -> Mapping[str, str]:
    return MappingProxyType({key: a.name for a in AGENTS for key in (*a.logins, *a.addresses)})


@cache
def _titles() -> Mapping[str, str]:
    return MappingProxyType({title: a.name for a in AGENTS for title in a.titles})


@cache
def _words() -> Mapping[str, str]:
    return MappingProxyType({w: a.name for a in AGENTS for w in (*a.titles, *a.words)})
