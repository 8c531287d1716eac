"""Names and addresses of a change that do not go together, nor with the history."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.contributors.likeness import alike, full
from bot.checks.contributors.past import MAX_NAMES, Book, History, book, people_of
from bot.checks.contributors.person import Person
from bot.checks.contributors.standing import LEVELS, Weight
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tools, fold
from bot.finding import Finding, Level, Rule
from bot.quoting import plain
from bot.wording import plural

MAX_LISTED = 20

IDENTITY = Rule(
    "contributors/identity",
    Level.WARNING,
    "One address has the names of unlike people, or a known name comes with an unknown address.",
    "Names and addresses are typed; work and sign-offs under another's name deceive a reader.",
    "Ask whose work it is; a line in .mailmap says that two addresses are one person's.",
)
RULES = (IDENTITY,)


def judge(
    history: History, statements: tuple[Statement, ...], tools: Tools, weight: Weight
) -> tuple[Finding, ...]:
    """Find addresses with the names of unlike people, and known names at unknown addresses."""
    if weight == "off":
        return ()
    known, level = book(history), LEVELS[weight]
    found = [*_unlike(statements, tools, known, level), *_taken(statements, tools, known, level)]
    if history.trouble:
        message = f"names cannot be held against the history: {history.trouble}"
        found.insert(0, IDENTITY.at(message, level=level))
    if len(found) > MAX_LISTED:
        more = plural(len(found) - MAX_LISTED, "more name")
        found[MAX_LISTED:] = [IDENTITY.at(f"and {more} of this kind", level=level)]
    return tuple(found)


def _unlike(
    statements: tuple[Statement, ...], tools: Tools, known: Book, level: Level
) -> Iterator[Finding]:
    seen: dict[str, list[str]] = {}
    for who, statement in people_of(statements, tools):
        key = known.owner(who.key)
        names = seen.setdefault(key, list(known.names.get(key, ())))
        if names and not any(alike(who.name, name) for name in names[:MAX_NAMES]):
            past = "in the history" if key in known.names else "in this change"
            message = f"{statement.name} has {who.shown}; {past} this address is that of "
            message += plain(names[0])
            yield IDENTITY.at(message, statement.place, level=_weighed(who, level))
        names.append(who.name)


def _taken(
    statements: tuple[Statement, ...], tools: Tools, known: Book, level: Level
) -> Iterator[Finding]:
    told: set[str] = set()
    for who, statement in people_of(statements, tools):
        namesakes = known.addresses.get(fold(who.name), ())
        if not namesakes or not full(who.name) or known.knows(who) or who.key in told:
            continue
        told.add(who.key)
        message = f"{statement.name} has {who.shown}, an address the history does not know; "
        message += f"it knows this name as {plain(namesakes[0].address)}"
        remedy = "If that is one person, commit with the known address, or add to .mailmap: "
        remedy += f"{plain(who.name)} <{plain(namesakes[0].address)}> <{plain(who.address)}>"
        yield IDENTITY.at(message, statement.place, remedy=remedy, level=_weighed(who, level))


def _weighed(who: Person, level: Level) -> Level:
    # Such an address says whose account it is, and whatever is written in a browser has one.
    return Level.NOTE if who.account else level
