"""The interval plot as a grid: HTML text beside strips of SVG whose positions are percentages.

So it fits a phone without shrinking its text, and a screen reader reads its numbers.
"""

from __future__ import annotations

from collections.abc import Container

from bot.exhibit import Interval, IntervalPlot
from bot.report import records
from bot.report.axis import Axis, axis
from bot.report.markup import Safe, join, quiet, tag, text, when
from bot.report.numbers import IntervalWords, drawable, interval_words
from bot.wording import plural

ROWS = 200
_KINDS = {"regressed": "bad", "error": "bad", "improved": "good"}


def draw(plot: IntervalPlot, known: Container[str] = ()) -> Safe:
    """Return one row for each interval above a shared axis; numbers link to known records."""
    shown = plot.intervals[:ROWS]
    if not shown:
        return quiet("Nothing was compared.")
    scale = axis([v for i in shown for v in (i.low, i.estimate, i.high)], zero=True)
    words = interval_words(plot)
    rows = join(_row(i, w, scale, known) for i, w in zip(shown, words, strict=False))
    foot = tag(
        "div",
        tag("span", class_="label"),
        tag("div", _axis(scale), tag("p", text(plot.unit), class_="unit")),
        tag("span", class_="value"),
        class_="row foot",
    )
    grid = tag("div", rows, foot, class_="intervals")
    left = len(plot.intervals) - ROWS
    return join((grid, when(left > 0, quiet(f"… and {plural(left, 'more interval')}"))))


def _row(interval: Interval, words: IntervalWords, scale: Axis, known: Container[str]) -> Safe:
    kind = _KINDS.get(interval.verdict.lower(), "")
    numbers = join((tag("b", text(words.estimate)), tag("span", text(f" {words.span}"))))
    sides = records.link(interval.record, known, text(words.sides))
    below = (
        when(words.sides, tag("span", sides, text(" "), class_="sides")),
        when(words.verdict, tag("span", text(words.verdict), class_=f"word {kind}")),
    )
    value = join(
        (
            records.link(interval.record, known, numbers),
            text(" "),
            tag("span", *below, class_="below"),
        )
    )
    parts = (words.estimate, words.span, words.sides, words.verdict)
    title = f"{words.label}: {' '.join(filter(None, parts))}"
    return tag(
        "div",
        tag("span", text(words.label), class_="label"),
        _strip(interval, scale, kind, title),
        tag("span", value, class_="value"),
        class_="row",
    )


def _percent(value: float, scale: Axis) -> str:
    return f"{2 + 96 * scale.part(value):.2f}%"


def _grid_lines(scale: Axis, height: str) -> Safe:
    return join(
        tag(
            "line",
            x1=_percent(t, scale),
            x2=_percent(t, scale),
            y1="0",
            y2=height,
            class_="zero" if t == 0 else "grid",
        )
        for t in scale.ticks
    )


def _strip(interval: Interval, scale: Axis, kind: str, title: str) -> Safe:
    parts = [tag("title", text(title)), _grid_lines(scale, "100%")]
    if drawable(interval.low) and drawable(interval.high):
        low, high = _percent(interval.low, scale), _percent(interval.high, scale)
        parts.append(tag("line", x1=low, x2=high, y1="50%", y2="50%"))
        parts += [tag("line", x1=x, x2=x, y1="32%", y2="68%") for x in (low, high)]
    if drawable(interval.estimate):
        parts.append(tag("circle", cx=_percent(interval.estimate, scale), cy="50%", r="5"))
    return tag("svg", *parts, class_=f"strip {kind}".strip(), role="img")


def _axis(scale: Axis) -> Safe:
    labels = join(
        tag("text", text(scale.label(t)), x=_percent(t, scale), y="20", text_anchor="middle")
        for t in scale.ticks
    )
    return tag("svg", _grid_lines(scale, "6"), labels, class_="axis", aria_hidden="true")
