"""Authors without a commit in the history, on paths that decide what others run."""

from __future__ import annotations

from collections.abc import Mapping

from bot.checks.contributors.past import History, book
from bot.checks.contributors.person import Person
from bot.checks.contributors.standing import LEVELS, Weight
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tools
from bot.finding import Finding, Level, Location, Rule
from bot.quoting import plain

NEWCOMER = Rule(
    "contributors/first-time-sensitive",
    Level.WARNING,
    "Somebody without a commit in the history changes a sensitive path.",
    "Workflows, licences and weights decide what everybody else runs and may do.",
    "Have an owner of the path read each line before anything of the change is run.",
)
RULES = (NEWCOMER,)


def judge(
    history: History, statements: tuple[Statement, ...], tools: Tools, weight: Weight
) -> tuple[Finding, ...]:
    """Find authors the history does not know, where the change touches guarded paths."""
    authors = _authors(statements, tools)
    # The first commits of a project have nobody before them.
    if weight == "off" or not history.touched or not authors:
        return ()
    place, paths = Location(history.touched[0]), _paths(history.touched)
    if history.trouble:
        message = f"whether its authors are new cannot be told ({history.trouble}); "
        message += f"the change touches {paths}"
        return (NEWCOMER.at(message, place, level=LEVELS[weight]),)
    known = book(history)
    new = [a for a in authors.values() if not known.knows(a)]
    if not new or not history.roster.commits:
        return ()
    return (_finding(history, new, place, paths, LEVELS[weight]),)


def _finding(
    history: History, new: list[Person], place: Location, paths: str, level: Level
) -> Finding:
    names = ", ".join(a.shown for a in new[:3])
    names += f" and {len(new) - 3:,} more" if len(new) > 3 else ""
    where = "in the history before this change"
    if not history.roster.complete:
        where = f"among the {history.roster.commits:,} commits before it that are read here"
    message = f"no commit by {names} is {where}, and it touches {paths}"
    return NEWCOMER.at(message, place, level=level)


def _authors(statements: tuple[Statement, ...], tools: Tools) -> Mapping[str, Person]:
    found: dict[str, Person] = {}
    for statement in statements:
        for who in _answering(statement, tools):
            found.setdefault(who.key, who)
    return found


def _answering(statement: Statement, tools: Tools) -> tuple[Person, ...]:
    """Whose work a commit is: its author's, or of those who signed off what an AI wrote."""
    found = tools.of(statement.author)
    if statement.oversize:
        return ()
    if found is not None and found.ai:
        people = tuple(p for p in statement.signed if p.usable and tools.of(p) is None)
        return people or (statement.author,)
    return (statement.author,)


def _paths(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - 3:,} more" if len(paths) > 3 else ""
    return ", ".join(plain(path) for path in paths[:3]) + more
