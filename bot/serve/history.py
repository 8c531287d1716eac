"""Measurements of the default branch over its commits, as pictures with tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.exhibit import Series, Trend
from bot.report.markup import Safe, join, quiet, tag, text, when
from bot.report.neutral import cut, scrub
from bot.report.trends import NAMES, draw
from bot.serve.contract import Point
from bot.wording import plural

MEASUREMENTS = 24  # pictures of one page
SHOWN = 7  # hex digits of a commit


def trends(points: Iterable[Point]) -> tuple[Trend, ...]:
    """Return one trend for each measurement, by name; the latest commit last.

    A value measured twice at one commit counts as it was measured last.
    """
    by_name: dict[str, dict[str, Point]] = {}
    for point in sorted(points, key=lambda p: (p.at, p.commit)):
        commits = by_name.setdefault(point.name, {})
        commits.pop(point.commit, None)
        commits[point.commit] = point
    return tuple(_trend(name, tuple(by_name[name].values())) for name in sorted(by_name))


def _trend(name: str, points: tuple[Point, ...]) -> Trend:
    shown = points[-NAMES:]
    series = [Series("value", tuple(p.value for p in shown))]
    if any(p.low is not None or p.high is not None for p in shown):
        series.append(Series("interval, low", tuple(p.low for p in shown)))
        series.append(Series("interval, high", tuple(p.high for p in shown)))
    left = len(points) - len(shown)
    note = f"{plural(left, 'earlier commit')} left out." if left else ""
    unit = name.rpartition(": ")[2]
    return scrub(Trend(name, unit, tuple(p.commit[:SHOWN] for p in shown), tuple(series), note))


def figures(found: Sequence[Trend], number: int = 1) -> Safe:
    """Return the pictures of one page of measurements."""
    part = found[(number - 1) * MEASUREMENTS : number * MEASUREMENTS]
    return join(map(_figure, part))


def _figure(trend: Trend) -> Safe:
    return tag(
        "figure",
        tag("figcaption", text(cut(trend.title, 200))),
        draw(trend, "commit"),
        when(trend.note, quiet(trend.note)),
        class_="wide",
    )
