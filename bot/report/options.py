"""What a door may choose about a rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.finding import Rule
from bot.verdict import Report


@dataclass(frozen=True, slots=True)
class Options:
    """`timings` shows seconds, `colour`, `verbose` and `width` are for the terminal.

    `room` is the most bytes of UTF-8 that a size-limited format may take.
    """

    timings: bool = False
    colour: bool = False
    verbose: bool = False
    width: int = 88
    room: int = 65_535


class Renderer(Protocol):
    """A renderer module: a report that was already made harmless, to text."""

    def render(self, report: Report, rules: Mapping[str, Rule], options: Options) -> str:
        """Return the whole document. `rules` are the catalogue's, by id."""
