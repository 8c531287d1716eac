"""Where in a text something stands, for formats whose reader gives no line numbers."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable

_QUOTED = re.compile(r'"([^"\\\n]*)"|\'([^\'\n]*)\'')
_KEY = re.compile(r"""^[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([\w-]+))[ \t]*[=.]""", re.MULTILINE)
_HEADER = re.compile(r"^[ \t]*\[\[?([^\[\]\n]+)\]", re.MULTILINE)
_NEWLINE = re.compile("\n")


class Lines:
    """A text, and the offsets of its lines and of the strings quoted in it.

    A miss gives the line of the nearest thing known: it misplaces a finding, never hides it.
    """

    def __init__(self, text: str, only: Container[str] | None = None) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in _NEWLINE.finditer(text))]
        self._quoted = _index(_QUOTED, text, only)
        self._keys = _index(_KEY, text, only)
        self._headers = _index(_HEADER, text, only)

    def at(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return bisect_right(self._starts, offset)

    def table(self, *names: str) -> int:
        """Return the offset of the TOML header `[a.b]`; 0 where it is written otherwise."""
        return self._headers.get(".".join(names), [0])[0]

    def key(self, name: str, start: int) -> int:
        """Return the offset of the first line `name = ...` after `start`, or `start`."""
        offsets = self._keys.get(name, [])
        place = bisect_left(offsets, start)
        return offsets[place] if place < len(offsets) else start

    def strings(self, values: Iterable[str], start: int) -> list[int]:
        """Return the line of each quoted value, looked for in order from `start`."""
        found = []
        for value in values:
            offsets = self._quoted.get(value, [])
            place = bisect_left(offsets, start)
            if place < len(offsets):
                start = offsets[place] + 1
            found.append(self.at(start))
        return found


def _index(
    pattern: re.Pattern[str], text: str, only: Container[str] | None
) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for match in pattern.finditer(text):
        group = match.lastindex or 0
        if only is None or match[group] in only:
            found.setdefault(match[group], []).append(match.start(group))
    return found
