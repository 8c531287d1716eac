"""What the history of the base knows of the people of a change: typed names and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.change import Change
from bot.checks.contributors import mailmap
from bot.checks.contributors.mailmap import Alias
from bot.checks.contributors.person import Person
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tools, fold
from bot.errors import CouldNotTell, RepositoryError
from bot.patterns import any_matches, compiled
from bot.roster import Roster
from bot.world import World

MAX_PEOPLE = 1_000  # names of one change that are compared
MAX_NAMES = 50  # of one address


@dataclass(frozen=True, slots=True)
class History:
    """What the history knows of the people of a change, and the guarded paths it touches.

    `trouble` says why the history could not be read.
    """

    roster: Roster = field(default_factory=Roster)
    aliases: tuple[Alias, ...] = ()
    touched: tuple[str, ...] = ()
    trouble: str = ""


def collect(
    change: Change,
    world: World,
    statements: tuple[Statement, ...],
    guarded: tuple[str, ...],
    maker: str,
) -> History:
    """Read what the history of the base says of these people."""
    patterns = tuple(compiled(p) for p in guarded)
    touched = tuple(f.path for f in change.files if any_matches(patterns, f.path))
    if not statements:
        return History(touched=touched)
    people = tuple(who for who, _ in people_of(statements, Tools()))
    aliases = _concerning(mailmap.collect(world, change.base, maker), people)
    try:
        whole = world.authors(change.base)
    except (CouldNotTell, RepositoryError) as error:
        return History(aliases=aliases, touched=touched, trouble=error.message)
    keys = {p.key for p in people} | {k for a in aliases for k in (a.key, a.alias)}
    accounts = {p.account for p in people} - {0}
    names = {fold(p.name) for p in people}
    kept = []
    for author in whole.authors:
        who = Person(author.name, author.address)
        if who.key in keys or who.account in accounts or fold(who.name) in names:
            kept.append(author)
    return History(Roster(tuple(kept), whole.commits, whole.complete), aliases, touched)


def _concerning(aliases: tuple[Alias, ...], people: tuple[Person, ...]) -> tuple[Alias, ...]:
    keys = {p.key for p in people}
    owners = {a.key for a in aliases if a.alias in keys or a.key in keys}
    return tuple(a for a in aliases if a.key in owners)


def people_of(
    statements: tuple[Statement, ...], tools: Tools
) -> Iterator[tuple[Person, Statement]]:
    """Yield each name with each address of the change once, authors first, no tools."""
    authors = ((s.author, s) for s in statements)
    others = ((p, s) for s in statements for p in (*s.signed, *s.co_authors))
    seen: set[tuple[str, str]] = set()
    for who, statement in (*authors, *others):
        pair = fold(who.name), who.key
        if who.usable and pair not in seen and len(seen) < MAX_PEOPLE:
            seen.add(pair)
            if tools.of(who) is None:
                yield who, statement


@dataclass(frozen=True, slots=True)
class Book:
    """The history by person: names of an address, addresses of a name, accounts."""

    owners: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]
    addresses: Mapping[str, tuple[Person, ...]]
    accounts: frozenset[int]

    def owner(self, key: str) -> str:
        """Return the address (as a key) that stands for its person."""
        return self.owners.get(key, key)

    def knows(self, who: Person) -> bool:
        """Whether an author of the history has this address, or one that is the same person's."""
        return self.owner(who.key) in self.names or (who.account in self.accounts)


def book(history: History) -> Book:
    """Sort what the history knows by person."""
    owners = mailmap.owners(history.aliases)
    names: dict[str, dict[str, None]] = {}
    addresses: dict[str, list[Person]] = {}
    accounts = set()
    for author in history.roster.authors:
        who = Person(author.name, author.address)
        names.setdefault(owners.get(who.key, who.key), {})[who.name] = None
        addresses.setdefault(fold(who.name), []).append(who)
        accounts.add(who.account)
    for alias in history.aliases:
        if alias.key in names and alias.name:
            names[alias.key][alias.name] = None
    return Book(
        owners,
        {key: tuple(found)[:MAX_NAMES] for key, found in names.items()},
        {name: tuple(found) for name, found in addresses.items()},
        frozenset(accounts - {0}),
    )
