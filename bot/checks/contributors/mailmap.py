"""`.mailmap` at the base: which addresses the project says are one person's (gitmailmap(5)).

It only quiets what names look like; it moves no work, and that of the change is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.checks.contributors.person import Person
from bot.errors import CouldNotTell
from bot.world import World

PATH = ".mailmap"
LIMIT = 1_000_000  # bytes
MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Alias:
    """One line: the person of address `key` also writes as `alias`, and is called `name`."""

    name: str
    key: str
    alias: str


def collect(world: World, base: str, maker: str) -> tuple[Alias, ...]:
    """Read the file at the base; () where there is none, or none that can be read."""
    try:
        entry = world.entry(base, PATH)
        if entry is None or not entry.is_file:
            return ()

        def make() -> tuple[Alias, ...]:
            return parse(world.read(entry.blob, LIMIT))

        return world.facts(f"{maker}/mailmap", entry.blob, tuple[Alias, ...], make)
    except CouldNotTell:  # without it more is told, never less
        return ()


def parse(data: bytes) -> tuple[Alias, ...]:
    """Read `Name <address>` and `Name <address> Name <alias>`; no other line."""
    found: dict[Alias, None] = {}
    for line in data.decode("utf-8", "replace").split("\n")[:MAX_LINES]:
        people = _people(line) if not line.lstrip().startswith("#") else []
        if people:
            proper, other = people[0], people[-1]
            found[Alias(proper.name, proper.key, other.key)] = None
            if other.name and other.name != proper.name:
                found[Alias(other.name, proper.key, other.key)] = None
    return tuple(found)


def _people(line: str) -> list[Person]:
    parts = line.partition("#")[0].split(">")[:-1][:2]
    people = []
    for part in parts:
        name, bracket, address = part.partition("<")
        if not bracket or "@" not in address:
            return []
        people.append(Person(name.strip(), address.strip()))
    return people


def owners(aliases: tuple[Alias, ...]) -> Mapping[str, str]:
    """Return the address each alias belongs to, both as keys; the last line decides."""
    return {a.alias: a.key for a in aliases}
