"""Exhibits out of the JSON report: what was written, as values again."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
from bot.report.exhibitdata import ExhibitData, IntervalData, SeriesData, TableData

CELLS = 200_000  # rows, cells, points, bins, values and facts of one exhibit


def exhibit(data: ExhibitData) -> Exhibit:
    """Return the exhibit. A number that JSON could not hold is nan, or None where it may be."""
    if data["kind"] == "table":
        return _table(data)
    if data["kind"] == "intervals":
        spans = tuple(map(_interval, data["intervals"]))
        return IntervalPlot(data["title"], data["unit"], spans, data["note"])
    if data["kind"] == "scatter":
        points = tuple((_number(x), _number(y)) for x, y in data["points"])
        return ScatterPlot(data["title"], data["x_label"], data["y_label"], points, data["note"])
    if data["kind"] == "histogram":
        edges, counts = tuple(map(_number, data["edges"])), tuple(data["counts"])
        return Histogram(data["title"], data["x_label"], edges, counts, data["note"])
    if data["kind"] == "trend":
        lines = tuple(
            Series(one["label"], tuple(map(_perhaps, one["values"]))) for one in data["series"]
        )
        return Trend(data["title"], data["unit"], tuple(data["names"]), lines, data["note"])
    return Record(data["title"], data["digest"], tuple((k, v) for k, v in data["facts"]))


def fault(data: ExhibitData) -> str:
    """Return what no renderer could draw truly about an exhibit, or ""."""
    if sum(_sizes(data)) > CELLS:
        return f"more than {CELLS:,} values"
    if data["kind"] == "table":
        return "a row that is not as long as the columns" if _ragged(data) else ""
    if data["kind"] == "histogram":
        counts, edges = data["counts"], data["edges"]
        if any(not 0 <= count <= 2**53 for count in counts):
            return "a count that counts nothing"
        if len(edges) != (len(counts) + 1 if counts else 0):
            return "not one edge more than counts"
    if data["kind"] == "trend" and any(
        len(one["values"]) > len(data["names"]) for one in data["series"]
    ):
        return "more values than names"
    return ""


def _ragged(data: TableData) -> bool:
    return any(len(row) != len(data["columns"]) for row in data["rows"])


def _sizes(data: ExhibitData) -> Iterator[int]:
    if data["kind"] == "table":
        yield len(data["columns"])
        yield from (1 + len(row) for row in data["rows"])
    elif data["kind"] == "intervals":
        yield len(data["intervals"])
    elif data["kind"] == "scatter":
        yield len(data["points"])
    elif data["kind"] == "histogram":
        yield len(data["counts"])
    elif data["kind"] == "trend":
        yield len(data["names"])
        yield from (1 + len(one["values"]) for one in data["series"])
    else:
        yield len(data["facts"])


def _table(data: TableData) -> Table:
    rows = tuple(tuple(row) for row in data["rows"])
    return Table(data["title"], tuple(data["columns"]), rows, data["record"])


def _series(data: SeriesData) -> Series:
    return Series(data["label"], tuple(map(_perhaps, data["values"])))


def _interval(data: IntervalData) -> Interval:
    return Interval(
        data["label"],
        _number(data["low"]),
        _number(data["estimate"]),
        _number(data["high"]),
        data["verdict"],
        _perhaps(data["base"]),
        _perhaps(data["head"]),
        data["record"],
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _perhaps(value: float | None) -> float | None:
    return None if value is None else float(value)  # JSON has no difference between 1 and 1.0
