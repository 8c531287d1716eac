"""Values of a Python file that is read and not run: texts, lists, tables, files, the unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from registry.documents import DocumentError

TEXT_LIMIT = 100_000  # characters of one text
SIZE = 50_000  # values that one value may hold, each counted as often as it is reached
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
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.values))


@dataclass(frozen=True, slots=True)
class Table:
    """A dict: later rows win."""

    rows: tuple[tuple[str, Value], ...] = ()
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size((value for _, value in self.rows)))

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
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.values))


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of the file; `setup` itself where `node` is None."""

    node: ast.FunctionDef | None


Value = Unknown | Text | Number | File | Items | Table | Either | Function


def size(value: Value) -> int:
    """Return how many values a value holds, itself included."""
    return value.size if isinstance(value, Items | Either | Table) else 1


def _size(values: Iterable[Value]) -> int:
    # A list that holds another one many times over is small to keep and endless to walk.
    found = 1 + sum(map(size, values))
    if found > SIZE:
        raise DocumentError("lists within lists without end")
    return found


def either(*values: Value) -> Value:
    """Return one value that may be any of these."""
    flat: list[Value] = []
    for value in values:
        flat += value.values if isinstance(value, Either) else (value,)
    found = tuple(dict.fromkeys(flat))
    if len(found) == 1:
        return found[0]
    return Either(found) if len(found) <= CHOICES else Unknown()


def weight(value: Value) -> int:
    """Return what it took to make a value, in steps."""
    if isinstance(value, Text):
        return len(value.value) // 200
    return size(value) // 4


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
            if len(made) > CHOICES:
                return Unknown(line)
            if isinstance(a, Text) and isinstance(b, Text):
                long = len(a.value) + len(b.value) > TEXT_LIMIT
                made.append(Unknown(line) if long else Text(a.value + b.value, a.line))
            elif isinstance(a, File) and isinstance(b, Text | File):
                made.append(a)
            elif isinstance(a, Items) or isinstance(b, Items):
                made.append(Items((*_listed(a), *_listed(b))))
            else:
                made.append(Unknown(line))
    return either(*made)


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
