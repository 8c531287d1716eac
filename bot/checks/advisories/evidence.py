"""What the check collects: what advisories say of the packages of a change, and their age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from registry.advisories.values import Severity

# How a requirement meets an advisory, from most to least: it names an affected version; all that
# its range admits, or the newest of it, is affected; its range admits malware; nobody can say.
How = Literal["pinned", "only", "newest", "admits", "undecided"]
STRENGTH: dict[How, int] = {"pinned": 4, "only": 3, "newest": 2, "admits": 1, "undecided": 0}


@dataclass(frozen=True, slots=True)
class Hit:
    """One package of a manifest and one group of advisories that are the same thing.

    `asked` is the version or range. `fixed` is the first version above it that is clear, or what
    a range has to exclude ("!=2.6.2,!=2.6.3"), or "". `old`: the base has it as well. `via` leads
    to it from what the project asks for, where a lock says so.
    """

    path: str
    line: int
    name: str
    asked: str
    how: How
    group: str
    ids: tuple[str, ...]
    severity: Severity
    malware: bool
    summary: str
    fixed: str = ""
    old: bool = False
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, and what is to be said of it."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found. `age` is in days, `count` is of advisories in the database.

    `trouble` says why there is no database ("", if there is one), `advice` what to do. `packages`
    counts those of the head, `resolved` those whose version is known, `fresh` those that the
    change brings or alters, and `exact` how many of these it asks for in one version. `local` are
    documents of the project that cannot be read, `expired` statements that no longer count;
    `excused` (id, name, who, until) those that do.
    """

    trouble: str = ""
    advice: str = ""
    missing: bool = False
    date: str = ""
    age: int = 0
    count: int = 0
    lost: int = 0
    packages: int = 0
    resolved: int = 0
    fresh: int = 0
    exact: int = 0
    hits: tuple[Hit, ...] = ()
    unresolved: tuple[Place, ...] = ()
    unreadable: tuple[Place, ...] = ()
    local: tuple[Place, ...] = ()
    expired: tuple[Place, ...] = ()
    excused: tuple[tuple[str, str, str, str], ...] = ()
