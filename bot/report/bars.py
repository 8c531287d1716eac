"""Exhibits in a terminal: aligned tables, intervals and histograms as bars of characters."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from bot.exhibit import Exhibit, Histogram, Interval, IntervalPlot, ScatterPlot, Table
from bot.report.axis import Axis, axis
from bot.report.numbers import drawable, interval_words, number
from bot.wording import plural

ROWS, NARROWEST, LABEL, BAR = 12, 10, 40, 36


def draw(exhibit: Exhibit, width: int) -> list[str]:
    """Return the exhibit's lines; the first is its title."""
    match exhibit:
        case Table():
            return [exhibit.title, *table(exhibit.columns, exhibit.rows, width)]
        case IntervalPlot():
            return [
                f"{exhibit.title} ({exhibit.unit})",
                *_intervals(exhibit, width),
                *_note(exhibit.note),
            ]
        case ScatterPlot():
            return [exhibit.title, _sides(exhibit), *_note(exhibit.note)]
        case Histogram():
            return [f"{exhibit.title} ({exhibit.x_label})", *_counts(exhibit), *_note(exhibit.note)]


def _note(note: str) -> list[str]:
    return [f"  {note}"] if note else []


def columns(text: str) -> int:
    """Return how many terminal columns a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(1 for c in text if unicodedata.east_asian_width(c) in "WF")
    return len(text) + wide - sum(1 for c in text if unicodedata.combining(c))


def pad(text: str, width: int) -> str:
    """Fill a text with spaces up to `width` terminal columns."""
    return text + " " * max(0, width - columns(text))


def table(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: int) -> list[str]:
    """Return aligned lines within `width`: heads, a rule, rows; many rows are cut."""
    if not rows:
        return ["  no rows"]
    cells = (heads, *rows[:ROWS])
    widths = _fitting([max(map(columns, column)) for column in zip(*cells, strict=True)], width - 2)
    lines = ["  ".join(map(pad, map(_short, row, widths), widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("─" * width for width in widths))
    more = [f"… and {plural(len(rows) - ROWS, 'more row', 'more rows')}"] * (len(rows) > ROWS)
    return [f"  {line}" for line in [*lines, *more]]


def _fitting(widths: list[int], room: int) -> list[int]:
    """Narrow the widest columns until the row fits, none below NARROWEST."""
    excess = sum(widths) + 2 * (len(widths) - 1) - room
    while excess > 0 and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
        excess -= 1
    return widths


def _short(text: str, width: int) -> str:
    return text if columns(text) <= width else text[: max(1, width - 1)] + "…"


def _intervals(plot: IntervalPlot, width: int) -> list[str]:
    shown = plot.intervals[:ROWS]
    if not shown:
        return ["  nothing was compared"]
    scale = axis([v for i in shown for v in (i.low, i.estimate, i.high)], zero=True)
    words = interval_words(plot)[:ROWS]
    texts = [(_short(w.label, LABEL), w.estimate, w.span, w.verdict) for w in words]
    widths = [max(map(columns, column)) for column in zip(*texts, strict=True)]
    room = min(BAR, max(15, width - sum(widths) - 12))
    lines = []
    for interval, row in zip(shown, texts, strict=True):
        label, estimate, span, verdict = map(pad, row, widths)
        bar = _bar(interval, scale, room)
        lines.append(f"  {label}  {bar}  {estimate} {span}  {verdict}".rstrip())
    rest = len(plot.intervals) - ROWS
    return [*lines, *([f"  … and {plural(rest, 'more interval')}"] if rest > 0 else [])]


def _bar(interval: Interval, scale: Axis, width: int) -> str:
    line = [" "] * width
    line[_cell(0.0, scale, width)] = "┊"
    if drawable(interval.low) and drawable(interval.high):
        ends = (_cell(interval.low, scale, width), _cell(interval.high, scale, width))
        first, last = min(ends), max(ends)
        line[first : last + 1] = "─" * (last + 1 - first)
        line[first], line[last] = "├", "┤"
    if drawable(interval.estimate):
        line[_cell(interval.estimate, scale, width)] = "●"
    return "".join(line)


def _cell(value: float, scale: Axis, width: int) -> int:
    return round(scale.part(value) * (width - 1))


def _sides(plot: ScatterPlot) -> str:
    above = sum(1 for x, y in plot.points if y > x)
    below = sum(1 for x, y in plot.points if y < x)
    rest = len(plot.points) - above - below
    return (
        f"  {plural(len(plot.points), 'point')}: {above:,} where {plot.y_label} is above "
        f"{plot.x_label}, {below:,} below, {rest:,} neither"
    )


def _counts(plot: Histogram) -> list[str]:
    if not plot.counts:
        return ["  no values"]
    top = max(max(plot.counts), 1)
    heads = [f"{number(a)} to {number(b)}" for a, b in pairwise(plot.edges)]
    width = max(map(len, heads), default=0)
    lines = [
        f"  {head:>{width}}  {'█' * max(round(count / top * BAR), count > 0)} {count:,}"
        for head, count in zip(heads, plot.counts, strict=False)
    ]
    left = len(lines) - ROWS
    return [*lines[:ROWS], *([f"  … and {plural(left, 'more bin')}"] if left > 0 else [])]
