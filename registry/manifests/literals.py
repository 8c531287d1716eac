"""Values of a Python file that is read and not run: texts, lists, tables, files, the unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

TEXT_LIMIT = 100_000  # characters of one text
CHOICES = 200  # alternatives of one value


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only running the file can tell."""

    line: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A string and the line where it is written."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, as an index."""

    value: int


@dataclass(frozen=True, slots=True)
class File:
    """What a file holds, or a part of it. `path` is as the file says, from its own folder."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list, a tuple or a set."""

    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A dict: later rows win."""

    rows: tuple[tuple[str, Value], ...] = ()

    def get(self, key: str) -> Value | None:
        """Return the value of a key, or None."""
        return next((value for name, value in reversed(self.rows) if name == key), None)

    def put(self, key: str, value: Value) -> Table:
        """Return a table with this key set."""
        if all(name != key for name, _ in self.rows):
            return Table((*self.rows, (key, value)))
        return Table(tuple((n, value if n == key else v) for n, v in self.rows))


@dataclass(frozen=True, slots=True)
class Either:
    """One of several values: what a condition decides."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the file; `setup` itself where `node` is None."""

    node: ast.FunctionDef | None


Value = Unknown | Text | Number | File | Items | Table | Either | Function


def either(*values: Value) -> Value:
    """Return one value that may be any of these."""
    flat: list[Value] = []
    for value in values:
        flat += value.values if isinstance(value, Either) else (value,)
    found = tuple(dict.fromkeys(flat))
    if len(found) == 1:
        return found[0]
    return Either(found) if len(found) <= CHOICES else Unknown()


def options(value: Value) -> tuple[Value, ...]:
    """Return the alternatives of a value."""
    return value.values if isinstance(value, Either) else (value,)


def elements(value: Value) -> tuple[Value, ...]:
    """Return what a loop over the value meets."""
    found: list[Value] = []
    for one in options(value):
        if isinstance(one, Items):
            found += one.values
        elif isinstance(one, Table):
            found += (Text(name, 0) for name, _ in one.rows)
        elif isinstance(one, File):
            found.append(one)
        else:
            found.append(Unknown(getattr(one, "line", 0)))
    return tuple(found)


def joined(left: Value, right: Value, line: int) -> Value:
    """Return `left + right`."""
    made: list[Value] = []
    for a in options(left):
        for b in options(right):
            if isinstance(a, Text) and isinstance(b, Text):
                long = len(a.value) + len(b.value) > TEXT_LIMIT
                made.append(Unknown(line) if long else Text(a.value + b.value, a.line))
            elif isinstance(a, File) and isinstance(b, Text | File):
                made.append(a)
            elif isinstance(a, Items) or isinstance(b, Items):
                made.append(Items((*_listed(a), *_listed(b))))
            else:
                made.append(Unknown(line))
    return either(*made[: CHOICES + 1])


def _listed(value: Value) -> tuple[Value, ...]:
    return value.values if isinstance(value, Items) else (value,)


def leaves(value: Value) -> Iterator[Text | File | Unknown]:
    """Yield the texts and files of nested lists and alternatives, each once."""
    seen, waiting = set[Value](), [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Items | Either):
            waiting.extend(reversed(one.values))
        elif isinstance(one, Table | Number | Function):
            yield Unknown()
        elif one not in seen:
            seen.add(one)
            yield one
