"""Exhibits in a terminal: aligned tables, intervals and histograms as bars of characters."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from bot.exhibit import (
    Exhibit,
    Histogram,
    Interval,
    IntervalPlot,
    Record,
    ScatterPlot,
    Series,
    Table,
    Trend,
)
from bot.report.axis import Axis, axis
from bot.report.numbers import (
    SHOWN,
    IntervalWords,
    drawable,
    interval_words,
    number,
    trend_rows,
)
from bot.wording import plural

ROWS, NARROWEST, LABEL, BAR = 12, 10, 40, 36
_LEVELS = "▁▂▃▄▅▆▇█"


def draw(exhibit: Exhibit, width: int) -> list[str]:
    """Return the exhibit's lines; the first is its title."""
    match exhibit:
        case Table():
            record = [f"  record {exhibit.record[:SHOWN]}"] if exhibit.record else []
            return [exhibit.title, *table(exhibit.columns, exhibit.rows, width), *record]
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
        case Trend():
            lines = _trend(exhibit, width)
            return [f"{exhibit.title} ({exhibit.unit})", *lines, *_note(exhibit.note)]
        case Record():
            title = f"{exhibit.title} (record {exhibit.digest[:SHOWN]})"
            return [title, *_facts(exhibit.facts)]


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


def table(
    heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: int, most: int = ROWS
) -> list[str]:
    """Return aligned lines within `width`: heads, a rule, rows; those beyond `most` are cut."""
    if not rows:
        return ["  no rows"]
    cells = (heads, *rows[:most])
    widths = _fitting([max(map(columns, column)) for column in zip(*cells, strict=True)], width - 2)
    lines = ["  ".join(map(pad, map(_short, row, widths), widths)).rstrip() for row in cells]
    lines.insert(1, "  ".join("─" * width for width in widths))
    more = [f"… and {plural(len(rows) - most, 'more row', 'more rows')}"] * (len(rows) > most)
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
    texts = [(_short(w.label, LABEL), w.estimate, w.span, w.sides, w.verdict) for w in words]
    widths = [max(map(columns, column)) for column in zip(*texts, strict=True)]
    room = min(BAR, width - sum(widths) - 12)
    lines = []
    for interval, row in zip(shown, texts, strict=True):
        label, estimate, span, *rest = map(pad, row, widths)
        bar = [_bar(interval, scale, room)] if room >= NARROWEST else []
        cells = (label, *bar, f"{estimate} {span}", *filter(None, rest))
        lines.append("  ".join(("", *cells)).rstrip())
    left = len(plot.intervals) - ROWS
    more = [f"  … and {plural(left, 'more interval')}"] if left > 0 else []
    return [*lines, *more, *_sources(words)]


def _sources(words: tuple[IntervalWords, ...]) -> list[str]:
    """Say which record holds which intervals."""
    found: dict[str, list[str]] = {}
    for one in words:
        found.setdefault(one.record, []).append(_short(one.label, LABEL))
    return [f"  record {record}: {_few(labels)}" for record, labels in found.items() if record]


def _few(labels: list[str]) -> str:
    rest = f" and {len(labels) - 1:,} more" if len(labels) > 1 else ""
    return f"{labels[0]}{rest}"


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


def _trend(trend: Trend, width: int) -> list[str]:
    """Return a table of a sparkline and as many of the latest numbers as fit."""
    rows = trend_rows(trend)
    lines = [_spark(one) for one in trend.series]
    for count in range(len(trend.names), 0, -1):
        heads = ("", "", *trend.names[-count:])
        cells = tuple(
            (_short(row[0], LABEL), line, *row[1:][-count:])
            for row, line in zip(rows, lines, strict=True)
        )
        sizes = [max(map(columns, c)) for c in zip(heads, *cells[:ROWS], strict=False)]
        if count == 1 or sum(sizes) + 2 * len(sizes) <= width:
            return table(heads, cells, width)
    return ["  no releases"]


def _spark(series: Series) -> str:
    """Return one character for each value, on the series' own scale; "·" for a gap."""
    values = [v if v is not None and drawable(v) else None for v in series.values]
    known = [v for v in values if v is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    top = len(_LEVELS) - 1
    return "".join(
        "·" if v is None else _LEVELS[round((v - low) / (high - low) * top) if high > low else 3]
        for v in values
    )


def _facts(facts: tuple[tuple[str, str], ...]) -> list[str]:
    size = max((columns(name) for name, _ in facts), default=0)
    return [f"  {pad(name, size)}  {value}" for name, value in facts]


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
