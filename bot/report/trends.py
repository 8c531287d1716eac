"""Trends as lines over named releases, with every value in a table beside them.

Lines differ by mark and dashes as well as by colour.
"""

from __future__ import annotations

from dataclasses import replace

from bot.exhibit import Series, Trend
from bot.report.axis import Axis, axis
from bot.report.frames import BOTTOM, LEFT, SIDE, TOP, frame, y_at, y_axis
from bot.report.markup import EMPTY, Safe, join, quiet, tag, text, when
from bot.report.neutral import cut
from bot.report.numbers import drawable, trend_rows
from bot.wording import plural

NAMES, SERIES, PANELS = 30, 6, 4  # releases, lines of one picture, pictures
HEIGHT, NAME, LETTER = 260, 14, 6.5  # units; characters of a name; width of one
_MARKS = 3

Point = tuple[float, float]


def draw(trend: Trend, noun: str = "release") -> Safe:
    """Return pictures of a few lines each, over the latest releases, or what `noun` calls them."""
    left = len(trend.names) - NAMES
    shown = replace(
        trend,
        names=trend.names[-NAMES:],
        series=tuple(replace(s, values=s.values[max(0, left) :]) for s in trend.series),
    )
    values = [v for s in shown.series for v in s.values if v is not None and drawable(v)]
    if not values:
        return quiet("No values to show.")
    scale, rows = axis(values), trend_rows(shown)
    starts = range(0, min(len(rows), SERIES * PANELS), SERIES)
    panels = join(_panel(shown, rows, scale, slice(i, i + SERIES), noun) for i in starts)
    rest = len(rows) - SERIES * PANELS
    return join(
        (
            panels,
            when(left > 0, quiet(f"{plural(left, 'earlier ' + noun)} left out.")),
            when(rest > 0, quiet(f"… and {rest:,} more series; the JSON report holds all")),
        )
    )


def _panel(
    trend: Trend, rows: tuple[tuple[str, ...], ...], scale: Axis, part: slice, noun: str
) -> Safe:
    series, texts = trend.series[part], rows[part]
    places = [_x(i, len(trend.names)) for i in range(len(trend.names))]
    title = f"{trend.title}: {', '.join(s.label for s in series)}; the table has every value"
    picture = frame(
        HEIGHT,
        cut(title, 300),
        y_axis(scale, HEIGHT, trend.unit),
        _names(trend.names, places),
        *(_line(i, s, places, scale) for i, s in enumerate(series)),
        *(
            _marks(i, s, row[1:], trend.names, places, scale)
            for i, (s, row) in enumerate(zip(series, texts, strict=True))
        ),
    )
    return tag("div", picture, _table(trend.names, texts, noun), class_="trend")


def _x(position: int, count: int) -> float:
    return LEFT + (position + 0.5) / count * (SIDE - LEFT - TOP)


def _names(names: tuple[str, ...], places: list[float]) -> Safe:
    """Name the head and, to its left, as many releases as have room."""
    floor = HEIGHT - BOTTOM
    parts, free = [], float(SIDE)
    for i, (name, x) in reversed(list(enumerate(zip(names, places, strict=True)))):
        head, shown = i == len(names) - 1, _short(name)
        half = len(shown) * LETTER / 2
        middle = min(x, SIDE - half)
        if middle + half > free or middle - half < 0:
            continue
        free = middle - half - LETTER
        parts.append(
            tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=str(TOP), y2=str(floor),
                class_="zero" if head else "grid"),
        )  # fmt: skip
        parts.append(
            tag("text", text(shown), x=f"{middle:.1f}", y=str(floor + 18), text_anchor="middle",
                class_="name" if head else ""),
        )  # fmt: skip
    return join(parts)


def _short(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1] + "…"


def _style(position: int) -> str:
    return f"s{position % _MARKS}" + (" dashed" if position >= _MARKS else "")


def _points(series: Series, places: list[float], scale: Axis) -> list[Point | None]:
    return [
        None if v is None or not drawable(v) else (x, y_at(v, scale, HEIGHT))
        for x, v in zip(places, series.values, strict=False)
    ]


def _line(position: int, series: Series, places: list[float], scale: Axis) -> Safe:
    steps, pen = [], "M"
    for point in _points(series, places, scale):
        if point is not None:
            steps.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "M" if point is None else "L"
    return when(steps, tag("path", d="".join(steps), class_=f"line {_style(position)}"))


def _marks(
    position: int,
    series: Series,
    texts: tuple[str, ...],
    names: tuple[str, ...],
    places: list[float],
    scale: Axis,
) -> Safe:
    last = len(names) - 1
    return join(
        EMPTY
        if point is None
        else mark(position, point, 5.0 if i == last else 3.5, f"{series.label}, {name}: {value}")
        for i, (point, name, value) in enumerate(
            zip(_points(series, places, scale), names, texts, strict=False)
        )
    )


def mark(position: int, at: Point, size: float, words: str) -> Safe:
    """Return the mark of a series: a dot, a square or a triangle; hollow where it is dashed."""
    x, y = at
    title = when(words, tag("title", text(words)))
    style = f"mark s{position % _MARKS}" + (" hollow" if position >= _MARKS else "")
    if position % _MARKS == 0:
        return tag("circle", title, cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{size:g}", class_=style)
    left, right, low, high = x - size, x + size, y + size * 0.9, y - size
    corners: tuple[Point, ...]
    if position % _MARKS == 1:
        corners = ((left, high), (right, high), (right, low), (left, low))
    else:
        corners = ((left, low), (right, low), (x, high - size * 0.2))
    path = "L".join(f"{a:.1f} {b:.1f}" for a, b in corners)
    return tag("path", title, d=f"M{path}Z", class_=style)


def _sample(position: int) -> Safe:
    line = tag("path", d="M1 6L27 6", class_=f"line {_style(position)}")
    dot = mark(position, (14.0, 6.0), 3.5, "")
    return tag("svg", line, dot, viewBox="0 0 28 12", class_="sample", aria_hidden="true")


def _table(names: tuple[str, ...], rows: tuple[tuple[str, ...], ...], noun: str) -> Safe:
    heads = join(
        tag("th", _sample(i), text(row[0]), scope="col", class_="number")
        for i, row in enumerate(rows)
    )
    top = tag("tr", tag("th", text(noun), scope="col"), heads)
    columns = [row[1:] for row in rows]
    body = join(
        tag(
            "tr",
            tag("th", text(name), scope="row"),
            join(tag("td", text(column[i]), class_="number") for column in columns),
            class_="head" if i == len(names) - 1 else "",
        )
        for i, name in enumerate(names)
    )
    shown = tag("table", tag("thead", top), tag("tbody", body))
    return tag("div", shown, class_="scroll")
