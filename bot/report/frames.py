"""Scatter plots and histograms as SVG in a frame of fixed units that scales with its place."""

from __future__ import annotations

from itertools import pairwise

from bot.exhibit import Histogram, ScatterPlot
from bot.report.axis import Axis, axis
from bot.report.markup import EMPTY, Safe, join, quiet, tag, text
from bot.report.numbers import drawable, number
from bot.wording import plural

POINTS = 2_000  # points drawn at most
BINS = 200
SIDE, LEFT, BOTTOM, TOP = 400, 56, 46, 10


def frame(height: int, title: str, *parts: Safe) -> Safe:
    """Return a picture as wide as SIDE units."""
    label = tag("title", text(title))
    return tag("svg", label, *parts, viewBox=f"0 0 {SIDE} {height}", role="img", class_="plot")


def _x(value: float, scale: Axis) -> float:
    return LEFT + scale.part(value) * (SIDE - LEFT - TOP)


def y_at(value: float, scale: Axis, height: int) -> float:
    """Return where a value lies above the floor."""
    return height - BOTTOM - scale.part(value) * (height - BOTTOM - TOP)


def _x_axis(scale: Axis, height: int, name: str) -> Safe:
    floor = height - BOTTOM
    marks = []
    for t in scale.ticks:
        x = f"{_x(t, scale):.1f}"
        marks.append(tag("line", x1=x, x2=x, y1=str(TOP), y2=str(floor), class_="grid"))
        label = text(scale.label(t))
        marks.append(tag("text", label, x=x, y=str(floor + 16), text_anchor="middle"))
    middle = f"{(LEFT + SIDE - TOP) / 2:.1f}"
    title = tag(
        "text", text(name), x=middle, y=str(height - 8), text_anchor="middle", class_="name"
    )
    return join((*marks, title))


def y_axis(scale: Axis, height: int, name: str) -> Safe:
    """Return the lines, labels and name of the upright axis."""
    marks = []
    for t in scale.ticks:
        y = y_at(t, scale, height)
        line = tag(
            "line", x1=str(LEFT), x2=str(SIDE - TOP), y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"
        )
        label = text(scale.label(t))
        marks += [line, tag("text", label, x=str(LEFT - 6), y=f"{y + 4:.1f}", text_anchor="end")]
    middle = f"{(TOP + height - BOTTOM) / 2:.1f}"
    turn = f"translate(13 {middle}) rotate(-90)"
    return join(
        (*marks, tag("text", text(name), transform=turn, text_anchor="middle", class_="name"))
    )


def scatter(plot: ScatterPlot) -> Safe:
    """Return the points on equal axes with the diagonal, and how many lie on each side."""
    points = [p for p in plot.points if drawable(p[0]) and drawable(p[1])]
    if not points:
        return quiet("No points to show.")
    every = -(-len(points) // POINTS)
    scale = axis([v for p in points for v in p])
    ends = [(_x(v, scale), y_at(v, scale, SIDE)) for v in (scale.low, scale.high)]
    diagonal = tag(
        "line",
        x1=f"{ends[0][0]:.1f}",
        y1=f"{ends[0][1]:.1f}",
        x2=f"{ends[1][0]:.1f}",
        y2=f"{ends[1][1]:.1f}",
        class_="zero",
    )
    # A path of dots is a tenth of the bytes of as many circles.
    dots = "".join(f"M{_x(x, scale):.1f} {y_at(y, scale, SIDE):.1f}h0" for x, y in points[::every])
    title = f"{plot.title}: {plot.y_label} against {plot.x_label}, {plural(len(points), 'point')}"
    picture = frame(
        SIDE,
        title,
        _x_axis(scale, SIDE, plot.x_label),
        y_axis(scale, SIDE, plot.y_label),
        diagonal,
        tag("path", d=dots, class_="dots"),
    )
    return join((picture, quiet(_scatter_words(plot, points, every))))


def _scatter_words(plot: ScatterPlot, points: list[tuple[float, float]], every: int) -> str:
    above = sum(1 for x, y in points if y > x)
    below = sum(1 for x, y in points if y < x)
    words = [f"{above:,} of {plural(len(points), 'point')} above the diagonal, {below:,} below."]
    if every > 1:
        words.append(f"One in {every} is drawn.")
    if len(points) < len(plot.points):
        words.append(f"{len(plot.points) - len(points):,} without a finite value left out.")
    return " ".join(words)


def histogram(plot: Histogram) -> Safe:
    """Return the bins as columns, with a line at zero where it is inside."""
    bins = [
        (low, high, count)
        for (low, high), count in zip(pairwise(plot.edges), plot.counts, strict=False)
        if drawable(low) and drawable(high) and high > low
    ][:BINS]
    if not bins:
        return quiet("No values to show.")
    height = 260
    across = axis([v for low, high, _ in bins for v in (low, high)], margin=0.0)
    top = max(max(count for _, _, count in bins), 1)
    up = Axis(0.0, top * 1.05, _count_ticks(top))
    title = (
        f"{plot.title}: {sum(count for *_, count in bins):,} values in {plural(len(bins), 'bin')}"
    )
    parts = [y_axis(up, height, "count"), _x_axis(across, height, plot.x_label)]
    parts += [_column(low, high, count, across, up, height) for low, high, count in bins]
    if across.low < 0 < across.high:
        x = f"{_x(0.0, across):.1f}"
        parts.append(tag("line", x1=x, x2=x, y1=str(TOP), y2=str(height - BOTTOM), class_="zero"))
    return frame(height, title, *parts)


def _count_ticks(top: int) -> tuple[float, ...]:
    found = axis([0.0, float(top)], margin=0.0).ticks
    return tuple(t for t in found if t == round(t)) or (0.0, float(top))


def _column(low: float, high: float, count: int, across: Axis, up: Axis, height: int) -> Safe:
    if not count:
        return EMPTY
    left, right = _x(low, across), _x(high, across)
    roof = y_at(float(count), up, height)
    words = f"{number(low)} to {number(high)}: {count:,}"
    return tag(
        "rect",
        tag("title", text(words)),
        x=f"{left + 0.5:.1f}",
        y=f"{roof:.1f}",
        width=f"{max(right - left - 1, 0.5):.1f}",
        height=f"{height - BOTTOM - roof:.1f}",
        class_="column",
    )
