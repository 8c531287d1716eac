"""Which commits need no sign-off of their own: the platform has to prove whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.people import Account, CommitAccount, People

PLATFORM = "web-flow"  # the account GitHub itself commits and signs with; nobody can register it


@dataclass(frozen=True, slots=True)
class Excused:
    """Ids of commits: `whole` need nobody's word, `author` only not their author's."""

    whole: frozenset[str] = frozenset()
    author: frozenset[str] = frozenset()


NOBODY = Excused()


def listed(account: Account, logins: Iterable[str]) -> bool:
    """Whether a login is on a list; GitHub's do not differ by case."""
    return account.login.lower() in {login.lower() for login in logins}


def by_platform(commit: CommitAccount) -> bool:
    """Whether GitHub made the commit itself: signed with its own key, which nobody else has."""
    return commit.verified and commit.committer is not None and commit.committer.login == PLATFORM


def by_bot(commit: CommitAccount, logins: Iterable[str]) -> bool:
    """Whether a listed bot made the commit.

    A signature proves the committer; the author is typed. So the committer must be the bot
    itself, or GitHub, which writes a bot's commits with its own key.
    """
    author, committer = commit.author, commit.committer
    if author is None or committer is None or not commit.verified or not listed(author, logins):
        return False
    return committer.id == author.id or by_platform(commit)


def excused(people: People | None, bots: tuple[str, ...]) -> Excused:
    """Return what needs no sign-off. Without people, everything does.

    In a merge queue GitHub squashes and merges commits that were judged in their own change.
    """
    if people is None:
        return NOBODY
    return Excused(
        frozenset(c.commit for c in people.commits if people.queue and by_platform(c)),
        frozenset(c.commit for c in people.commits if by_bot(c, bots)),
    )


def bot_commits(people: People | None) -> frozenset[str]:
    """Return the commits whose author the platform calls a bot, whatever its address is."""
    if people is None:
        return frozenset()
    return frozenset(c.commit for c in people.commits if c.author is not None and c.author.bot)
