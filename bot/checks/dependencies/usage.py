"""What the code imports against what the project declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.checks.dependencies.closure import way
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural

Imports = Literal["review", "off"]
MOST = 20  # findings of one kind told one by one
NAMED = 3  # distributions in a remedy

UNDECLARED = Rule(
    "dependencies/undeclared",
    Level.WARNING,
    "Code imports a module that no declared package provides.",
    "It works only where something else happens to have installed it, and nobody audits it.",
    "Declare the package that provides it, or remove the import.",
)
UNUSED = Rule(
    "dependencies/unused",
    Level.WARNING,
    "A declared package is imported nowhere, by a name that is known here.",
    "Everybody who installs the project takes its code and its risks for nothing.",
    "Remove it, or say in the change what needs it.",
)
UNREAD = Rule(
    "dependencies/imports-unread",
    Level.NOTE,
    "A Python file cannot be parsed, so what it imports is not known.",
    "An import in it is not held against what is declared.",
    "Make it Python 3 that parses, or give a template another ending.",
)
RULES = (UNDECLARED, UNUSED, UNREAD)


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A module that is imported at a place, `others` counting more files of the change.

    `weak` says why it weighs little ("" where it does not): optional, test code, an old habit.
    `names` are distributions known to provide it; `via` is how one of them comes in anyway.
    """

    module: str
    path: str
    line: int
    others: int = 0
    weak: str = ""
    names: tuple[str, ...] = ()
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unused:
    """A requirement that no import answers to. `dropped`: the change removed the last one."""

    name: str
    path: str
    line: int
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that cannot be parsed."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What was found. `files` of Python were read; `unlooked` says what was not, and why."""

    files: int = 0
    undeclared: tuple[Undeclared, ...] = ()
    unused: tuple[Unused, ...] = ()
    unread: tuple[Unread, ...] = ()
    unlooked: str = ""


def judge(usage: Usage) -> Iterator[Finding]:
    """Find what is imported and not declared, declared and not imported, or not readable."""
    yield from map(_undeclared, usage.undeclared[:MOST])
    yield from map(_unused, usage.unused[:MOST])
    for rule, found in ((UNDECLARED, usage.undeclared), (UNUSED, usage.unused)):
        if len(found) > MOST:
            message = f"{len(found) - MOST:,} more like this"
            yield rule.at(message, Location(found[MOST].path), level=Level.NOTE)
    for unread in usage.unread[:MOST]:
        yield UNREAD.at(shown(unread.why), Location(unread.path, unread.line))
    if usage.unlooked:
        message = f"imports were not wholly looked at: {shown(usage.unlooked)}"
        yield UNUSED.at(message, level=Level.NOTE, remedy="Look for its imports by hand.")


def _undeclared(one: Undeclared) -> Finding:
    module = shown(one.module)
    more = f", and {plural(one.others, 'other file')}" if one.others else ""
    how = f"; {one.weak}" if one.weak else ""
    if one.via:
        how += f"; it only comes in through {way(one.via)}"
    remedy = ""
    if one.names:
        remedy = f"Declare {' or '.join(one.names[:NAMED])}, or remove the import."
    return UNDECLARED.at(
        f"{module} is imported here{more}, and no declared package provides it{how}",
        Location(one.path, one.line),
        level=Level.NOTE if one.weak else None,
        remedy=remedy,
    )


def _unused(one: Unused) -> Finding:
    name, place = shown(one.name), Location(one.path, one.line)
    if one.dropped:
        message = f"{name}: the change removes the last import that is known to be of it"
        return UNUSED.at(message, place, level=Level.NOTE)
    return UNUSED.at(f"{name} is new here, and nothing imports it", place)


def summary(usage: Usage) -> str:
    """Count the files whose imports were read, "" where there are none."""
    if not usage.files:
        return ""
    unlooked = ", not all of the code" if usage.unlooked else ""
    return f"; imports of {plural(usage.files, 'file')} read{unlooked}"
