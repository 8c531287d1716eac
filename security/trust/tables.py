"""Strict reading of TOML: every key asked for or refused, every value of its type and bounded."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from security.errors import Malformed, TooLarge

LIMIT = 1_000_000  # bytes of a file
LINE_LIMIT = 1_000  # characters; dotted keys cost the parser their square
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_HINT = "write it as docs/formats/trust.md says"


def parse(data: bytes, name: str) -> Table:
    """Parse TOML v1.0 without characters that hide text. Raises Malformed, TooLarge."""
    if len(data) > LIMIT:
        raise TooLarge(f"{name}: {len(data):,} bytes, more than {LIMIT:,}", _HINT)
    try:
        text = data.decode("utf-8")
        for number, line in enumerate(text.split("\n"), 1):
            _plain(line.removesuffix("\r"), name, number)
        return Table(name, "", tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise Malformed(f"{name}: not UTF-8 at byte {error.start}", _HINT) from error
    except RecursionError as error:
        raise Malformed(f"{name}: nested too deeply", _HINT) from error
    except ValueError as error:  # of TOML, or an integer of thousands of digits
        raise Malformed(f"{name}: {str(error)!r:.200}", _HINT) from error


class Table:
    """One table of the file; `where` is its dotted place. `done` refuses what nobody asked for."""

    def __init__(self, file: str, where: str, values: dict[str, Any]) -> None:
        self.file, self.where = file, where
        self._left = dict(values)
        self._asked: list[str] = []

    def wrong(self, key: str, what: str, hint: str = _HINT) -> Malformed:
        """Return the error for one key of this table."""
        place = ".".join(part for part in (self.where, key) if part)
        said = f"{place} {what}" if place else what
        return Malformed(f"{self.file}: {said}", hint)

    def has(self, key: str) -> bool:
        """Whether the key is there and not yet taken."""
        return key in self._left

    def text(self, key: str, limit: int, default: str | None = None) -> str:
        """Take text of 1 to `limit` characters."""
        if default is not None and not self.has(key):
            self._asked.append(key)
            return default
        value = self._take(key, None)
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise self.wrong(key, f"is not text of 1 to {limit:,} characters")
        return value

    def named(self, key: str) -> str:
        """Take a name: letters, digits, and `.`, `_`, `-` inside."""
        value = self.text(key, 100)
        if not NAME.fullmatch(value):
            raise self.wrong(key, f"is no name: {value!r}")
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Take a whole number from `low` to `high`."""
        value = self._take(key, default)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(key, f"is not a whole number from {low} to {high}")
        return value

    def day(self, key: str) -> date:
        """Take a date."""
        value = self._take(key, None)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, "is not a date", "write a date without quotes: 2027-06-30")
        return value

    def maybe_day(self, key: str) -> date | None:
        """Take a date if one is there."""
        self._asked.append(key)
        return self.day(key) if key in self._left else None

    def texts(
        self, key: str, limit: int, default: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """Take a list of 1 to `limit` different texts."""
        if default is not None and not self.has(key):
            self._asked.append(key)
            return default
        value = self._take(key, None)
        if not isinstance(value, list) or not 1 <= len(value) <= limit:
            raise self.wrong(key, f"is not a list of 1 to {limit:,} texts")
        seen: set[str] = set()
        for item in value:
            if not isinstance(item, str) or not 1 <= len(item) <= LINE_LIMIT:
                raise self.wrong(key, f"holds what is not text of 1 to {LINE_LIMIT:,} characters")
            if item in seen:
                raise self.wrong(key, f"names {item!r:.100} twice")
            seen.add(item)
        return tuple(value)

    def tables(self, key: str, limit: int) -> Iterator[tuple[str, Table]]:
        """Take the tables below `[key.NAME]`, none if it is absent."""
        value = self._take(key, {})
        if not isinstance(value, dict) or len(value) > limit:
            raise self.wrong(key, f"is not at most {limit:,} tables [{key}.NAME]")
        for name, inner in value.items():
            if not NAME.fullmatch(name):
                raise self.wrong(key, f"has {name!r:.100}, which is no name")
            if not isinstance(inner, dict):
                raise self.wrong(f"{key}.{name}", "is not a table")
            yield name, Table(self.file, f"{key}.{name}", inner)

    def lists(self, key: str, limit: int) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Take the lists of texts in the table `[key]`, by their keys; none if it is absent."""
        value = self._take(key, {})
        if not isinstance(value, dict) or len(value) > limit:
            raise self.wrong(key, f"is not a table of at most {limit:,} lists")
        inner = Table(self.file, key, value)
        for name in value:
            yield name, inner.texts(name, limit)

    def done(self) -> None:
        """Refuse whatever was not taken."""
        for key in self._left:
            near = difflib.get_close_matches(key[:100], self._asked, 1)
            known = ", ".join(sorted(set(self._asked)))
            hint = f"did you mean {near[0]!r}?" if near else f"what is known here: {known}"
            raise self.wrong("", f"has the unknown key {key!r:.100}".strip(), hint)

    def _take(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        value = self._left.pop(key, default)
        if value is None:
            near = difflib.get_close_matches(key, [word[:100] for word in self._left], 1)
            hint = f"is it what is written {near[0]!r}?" if near else _HINT
            raise self.wrong(key, "is missing", hint)
        return value


def _plain(line: str, name: str, number: int) -> None:
    if len(line) > LINE_LIMIT:
        raise TooLarge(f"{name}: line {number} has more than {LINE_LIMIT:,} characters", _HINT)
    if not line.isascii():
        for char in line:
            # Text that shows in another order, or not at all, deceives its reviewer.
            if unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Zl", "Zp"):
                what = f"{name}: line {number} holds the invisible character U+{ord(char):04X}"
                raise Malformed(what, "remove it")
