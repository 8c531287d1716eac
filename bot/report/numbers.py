"""Numbers as text, the same digits every time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.exhibit import Interval, IntervalPlot, Trend

SHOWN = 12  # characters of a digest

_EDGE = 1e300  # beyond this a difference of two numbers may overflow


def drawable(value: float) -> bool:
    """Whether a number can be put on an axis."""
    return math.isfinite(value) and abs(value) < _EDGE


def number(value: float) -> str:
    """Return four significant digits: "0.0123", "1.2e-09"; "n/a" where it is none."""
    if not math.isfinite(value):
        return "n/a"
    return f"{value:.4g}" if value else "0"


@dataclass(frozen=True, slots=True)
class IntervalWords:
    """An interval as text: "all items", "+0.0580", "[+0.0410, +0.0750]", "regressed".

    `sides` is "2.410 → 2.468", `record` the beginning of a digest; "" where they are not known.
    """

    label: str
    estimate: str
    span: str
    verdict: str
    sides: str
    record: str


def interval_words(plot: IntervalPlot) -> tuple[IntervalWords, ...]:
    """Return every interval as text, all with the same number of decimals."""
    places = _decimals(v for i in plot.intervals for v in (i.low, i.estimate, i.high))
    levels = [v for i in plot.intervals for v in (i.base, i.head) if v is not None]
    return tuple(_words(i, places, _decimals(levels)) for i in plot.intervals)


def _words(interval: Interval, places: int, side_places: int) -> IntervalWords:
    low, high = _signed(interval.low, places), _signed(interval.high, places)
    return IntervalWords(
        interval.label,
        _signed(interval.estimate, places),
        f"[{low}, {high}]",
        interval.verdict,
        _sides(interval, side_places),
        interval.record[:SHOWN],
    )


def _sides(interval: Interval, places: int) -> str:
    if interval.base is None and interval.head is None:
        return ""
    return f"{_level(interval.base, places)} → {_level(interval.head, places)}"


def trend_rows(trend: Trend) -> tuple[tuple[str, ...], ...]:
    """Return each series as text: its label and a value for each name, all with like decimals."""
    places = _decimals(v for one in trend.series for v in one.values if v is not None)
    gaps = (None,) * len(trend.names)
    return tuple(
        (one.label, *(_level(v, places) for v in (*one.values, *gaps)[: len(gaps)]))
        for one in trend.series
    )


def _decimals(values: Iterable[float]) -> int:
    """Return how many decimals show four digits of the largest; -1 where none would do."""
    size = max((abs(v) for v in values if drawable(v)), default=0.0)
    return max(0, 3 - math.floor(math.log10(size))) if 1e-4 <= size < 1e6 else -1


def _signed(value: float, places: int) -> str:
    if not math.isfinite(value):
        return "n/a"
    text = f"{value:+.4g}" if places < 0 else f"{value:+.{places}f}"
    return text[1:] if float(text) == 0 else text


def _level(value: float | None, places: int) -> str:
    return "–" if value is None else _signed(value, places).removeprefix("+")
