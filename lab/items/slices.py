"""Slices of a task: the items that share the value of a field, by name.

A field of numbers with more than 10 different values is cut at its quartiles; one of words with
more than 20 makes no slices, and `skipped` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lab.protocol import Task

NUMBERS = 10
VALUES = 20


@dataclass(frozen=True, slots=True)
class Slice:
    """Items of a task, by their numbers in it."""

    name: str
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slices:
    """The slices of a task, and in a line each why a field makes none."""

    slices: tuple[Slice, ...]
    skipped: tuple[str, ...]

    def first(self, n: int) -> tuple[Slice, ...]:
        """Return the slices of the task's first items: those that were scored."""
        found = (Slice(s.name, tuple(i for i in s.items if i < n)) for s in self.slices)
        return tuple(part for part in found if part.items)


def slices(task: Task) -> Slices:
    """Cut the task by every field of its items. One without a field is in none of its slices."""
    fields: dict[str, dict[str, list[int]]] = {}
    for number, item in enumerate(task.items):
        for field, value in dict(item.fields).items():
            fields.setdefault(field, {}).setdefault(value, []).append(number)
    found, skipped = list[Slice](), list[str]()
    for field, values in sorted(fields.items()):
        numbers = [_number(value) for value in values]
        if len(values) > NUMBERS and all(map(math.isfinite, numbers)):
            found += _quarters(field, values)
        elif len(values) > VALUES:
            count = f"{len(values):,} different values, more than {VALUES}"
            skipped.append(f"field {field!r:.80} has {count}: no slices")
        else:
            found += (Slice(f"{field}={value}", tuple(values[value])) for value in sorted(values))
    return Slices(tuple(found), tuple(skipped))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _quarters(field: str, values: dict[str, list[int]]) -> list[Slice]:
    """Cut at the quartiles of the items; equal values stay together."""
    rows = sorted((float(text), number) for text, numbers in values.items() for number in numbers)
    cuts = [rows[len(rows) * quarter // 4][0] for quarter in (1, 2, 3)]
    parts: dict[int, list[tuple[float, int]]] = {}
    for value, number in rows:
        parts.setdefault(sum(value >= cut for cut in cuts), []).append((value, number))
    return [
        Slice(f"{field} {part[0][0]:g} to {part[-1][0]:g}", tuple(sorted(n for _, n in part)))
        for part in parts.values()
    ]
