"""The differences of changed models as tables that a reviewer reads, the largest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.checks.weights.differing import headline
from bot.checks.weights.diffs import ModelDiff
from bot.exhibit import Exhibit, Table
from bot.quoting import plain
from lab.tensors.values import Health, Kind, Numbers, Shift

VALUES = ("tensor", "relative L2", "largest", "changed", "odd")
LAYOUT = ("tensor", "what", "before", "after")


def tables(models: tuple[ModelDiff, ...], rows: int) -> tuple[Exhibit, ...]:
    """Return at most two tables for each model, of at most `rows` lines each."""
    return tuple(table for model in models for table in _of_model(model, rows))


def _of_model(model: ModelDiff, rows: int) -> Iterator[Table]:
    shifts = model.diff.shifts
    measured = [s for s in shifts if s.numbers or s.health or s.doubt]
    measured = [s for s in measured if s.kind is not Kind.ADDED or _odd(s)]
    title = f"{plain(model.model)}: {headline(model)}"
    lines = [(plain(s.name), *_values(s)) for s in measured]
    if lines:
        yield Table(title, VALUES, _cut(lines, rows, model.diff.more))
    moved = [s for s in shifts if s.kind is not Kind.CHANGED] if model.base else []
    kinds = [(plain(s.name), s.kind.value, _before(s), s.after) for s in moved]
    if kinds:
        yield Table(f"{plain(model.model)}: layout", LAYOUT, _cut(kinds, rows, 0))


def _cut(lines: Sequence[tuple[str, ...]], rows: int, more: int) -> tuple[tuple[str, ...], ...]:
    left = len(lines) - rows + more
    if left <= 0:
        return tuple(lines)
    blank = ("",) * (len(lines[0]) - 1)
    return (*lines[:rows], (f"and {left:,} more", *blank))


def _before(shift: Shift) -> str:
    return f"{plain(shift.was)}, {shift.before}" if shift.was else shift.before


def _values(shift: Shift) -> tuple[str, str, str, str]:
    odd = ", ".join((*_oddities(shift.health), *filter(None, (shift.doubt,))))
    numbers = shift.numbers
    if numbers is None:
        return ("", "", "", odd)
    relative = "from zero" if numbers.relative is None else f"{numbers.relative:.3g}"
    return (relative, f"{numbers.largest:.3g}", _changed(numbers), odd)


def _changed(numbers: Numbers) -> str:
    """Name the rows that changed, where they are a part of all; else the share of elements."""
    if numbers.changed_rows < numbers.of_rows:
        named = ", ".join(map(str, numbers.rows))
        more = ", ..." if numbers.changed_rows > len(numbers.rows) else ""
        return f"{numbers.changed_rows:,} of {numbers.of_rows:,} rows: {named}{more}"
    digits = 3 if numbers.share < 0.001 else 0
    return f"{numbers.share:.{digits}%}"


def _odd(shift: Shift) -> bool:
    health = shift.health
    return bool(shift.doubt or (health and (health.nans or health.infinities or health.zero)))


def _oddities(health: Health | None) -> Iterator[str]:
    if health is None:
        return
    if health.nans:
        yield f"{health.nans:,} NaN"
    if health.infinities:
        yield f"{health.infinities:,} infinite"
    if health.zero:
        yield "all zero"
    elif health.zero_rows:
        yield f"{health.zero_rows:,} zero rows"
    if health.outliers:
        yield f"{health.outliers:,} outlier rows"
