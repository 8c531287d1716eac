"""What was found out about the data of a change."""

from __future__ import annotations

from dataclasses import dataclass

from bot.checks.data.reading import Trouble
from lab.data.leaks import Leak


@dataclass(frozen=True, slots=True)
class Leaking:
    """An evaluation item in a file; `before` is the share that data held before the change."""

    path: str
    leak: Leak
    before: float = 0.0


@dataclass(frozen=True, slots=True)
class Copies:
    """Duplicates among the added records of a file.

    `examples` are (line, path and line of the older one, likeness), the likest first.
    """

    path: str
    added: int
    same: int
    near: int
    examples: tuple[tuple[int, str, int, float], ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, and of what: files and records that were searched, items looked for.

    `unjudged` items are too short or all template; `left_out` files were not compared with;
    `asks_again` says that the change adds items, which may stand in those.
    """

    evaluated: bool = False
    items: int = 0
    unjudged: int = 0
    sets: tuple[tuple[str, int], ...] = ()
    files: int = 0
    records: int = 0
    left_out: int = 0
    asks_again: bool = False
    leaks: tuple[Leaking, ...] = ()
    more: tuple[tuple[str, int], ...] = ()
    copies: tuple[Copies, ...] = ()
    troubles: tuple[Trouble, ...] = ()
