"""Whose work a change is, as far as something proves it: an account, never a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.checks.contributors.accounts import by_bot, by_platform, listed
from bot.checks.contributors.person import NOREPLY, Person
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tools
from bot.people import Account, CommitAccount, People
from bot.quoting import plain
from bot.wording import plural


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who has work in the change; `account` is 0 where none is known.

    `role` says what they did, in `commit` first; `typed` is whether only a trailer names them.
    """

    account: int
    shown: str
    role: str
    commit: str = ""
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Parties:
    """Everybody who has to sign. `unowned` have no account; `unknown` is what was not told.

    `proven` is whether the platform said who they are.
    """

    due: tuple[Party, ...] = ()
    unowned: tuple[Party, ...] = ()
    unknown: tuple[str, ...] = ()
    proven: bool = False


def accounts(statements: tuple[Statement, ...], people: People | None) -> frozenset[int]:
    """Return every account a change could be judged by, however it is named."""
    stated = {p.account for s in statements for p in (s.author, *s.co_authors)}
    if people is not None:
        stated.add(people.author.id)
        stated.update(c.author.id for c in people.commits if c.author is not None)
    return frozenset(stated - {0})


def of_change(
    statements: tuple[Statement, ...],
    people: People | None,
    exempt: tuple[str, ...],
    *,
    co_authors: bool,
    signers: Mapping[str, str],
    tools: Tools = Tools(),
) -> Parties:
    """Return who has to sign; `signers` are the proven SSH principals by commit."""
    book = _Book(people, exempt, tools)
    if people is not None and not people.queue:  # a group of a queue is opened by nobody
        book.author(people.author)
    for statement in statements:
        ours = book.commit(statement, signers.get(statement.commit, ""))
        if ours and co_authors:
            for who in statement.co_authors:
                book.co_author(statement, who)
    return book.parties()


class _Book:
    """Collects parties, each once, in the order of the change."""

    def __init__(self, people: People | None, exempt: tuple[str, ...], tools: Tools) -> None:
        self._people, self._exempt, self._tools = people, exempt, tools
        self._told = {c.commit: c for c in people.commits} if people else {}
        self._due: dict[int, Party] = {}
        self._unowned: dict[tuple[str, bool], Party] = {}  # by address, and whether it is typed
        self._unknown: list[str] = []
        self._missing: list[str] = []
        self._owners: dict[str, Account] = {}  # by address, as the platform said
        self._bots = frozenset(a.id for a in self._known() if listed(a, exempt))

    def _known(self) -> tuple[Account, ...]:
        if self._people is None:
            return ()
        each = (c.author for c in self._people.commits)
        return (self._people.author, *(a for a in each if a is not None))

    def author(self, account: Account) -> None:
        if not listed(account, self._exempt):
            self._add(account.id, account.login, "author of the pull request", "")

    def _add(self, account: int, login: str, role: str, commit: str, typed: bool = False) -> None:
        shown = f"{login} (account {account})" if login else f"account {account}"
        self._due.setdefault(account, Party(account, shown, role, commit, typed))

    def commit(self, statement: Statement, signer: str) -> bool:
        """Enter a commit's author; return whether its co-authors count too."""
        told = self._told.get(statement.commit)
        if statement.oversize:
            message = f"{statement.name} is too large to read: its co-authors are not known"
            self._unknown.append(message)
        if self._people is None:
            self._by_key(statement, signer)
        elif told is None:
            self._missing.append(statement.name)
        elif self._people.queue and by_platform(told):
            return False
        elif self._is_ai(statement.author) and self._of_ai(told.author):
            pass  # it has nothing to sign with; whoever opened the pull request answers for it
        else:
            self._by_account(statement, told)
        return True

    def _by_key(self, statement: Statement, signer: str) -> None:
        # Only a key of the allowed signers ties an address to a person without the platform.
        who = statement.author
        proven = Person("", signer).key == who.key and bool(signer)
        role = f"author of {statement.name}"
        if who.account and proven:
            self._add(who.account, "", role, statement.commit)
        else:
            self._nobody(Party(0, plain(who.address), role, statement.commit), who.key)

    def _by_account(self, statement: Statement, told: CommitAccount) -> None:
        who, role = told.author, f"author of {statement.name}"
        if who is None:
            address = statement.author
            self._nobody(Party(0, plain(address.address), role, statement.commit), address.key)
            return
        self._owners[statement.author.key] = who
        if not by_bot(told, self._exempt):
            self._add(who.id, who.login, role, statement.commit)

    def _is_ai(self, who: Person) -> bool:
        found = self._tools.of(who)
        return found is not None and found.ai

    def _of_ai(self, account: Account | None) -> bool:
        # A name can be typed; a person's account stays a person's.
        return account is None or self._is_ai(Person("", f"{account.login}{NOREPLY}"))

    def co_author(self, statement: Statement, who: Person) -> None:
        if self._is_ai(who):
            return
        owner = self._owners.get(who.key)
        account = owner.id if owner else who.account if who.usable else 0
        role = f"co-author of {statement.name}"
        if account in self._bots:
            return
        if account:
            self._add(account, owner.login if owner else "", role, statement.commit, typed=True)
        else:
            shown = plain(who.address or who.name)
            self._nobody(Party(0, shown, role, statement.commit, typed=True), who.key or who.name)

    def _nobody(self, party: Party, key: str) -> None:
        self._unowned.setdefault((key, party.typed), party)

    def parties(self) -> Parties:
        unknown = list(self._unknown)
        if self._missing:
            count = plural(len(self._missing), "commit")
            unknown.append(f"the platform did not say whose {count} are, {self._missing[0]} first")
        if self._people is not None and not self._people.complete:
            unknown.append("the platform did not tell of every commit and signature")
        # A co-author may be named before the commit that ties the address to an account.
        unowned = tuple(
            p for (key, typed), p in self._unowned.items() if not (typed and key in self._owners)
        )
        return Parties(tuple(self._due.values()), unowned, tuple(unknown), self._people is not None)
