"""Exhibits in the JSON report: their types and how they are written."""

from __future__ import annotations

import math
from typing import Literal

from typing_extensions import TypedDict

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


class TableData(TypedDict):
    """Rows of text under column names. `record` is the digest of a record, "" for none."""

    kind: Literal["table"]
    title: str
    columns: list[str]
    rows: list[list[str]]
    record: str


class IntervalData(TypedDict):
    """One estimate with its interval. `base` and `head` are what it is the difference of."""

    label: str
    low: float | None
    estimate: float | None
    high: float | None
    verdict: str
    base: float | None
    head: float | None
    record: str


class IntervalPlotData(TypedDict):
    """Intervals on one axis; zero means no change."""

    kind: Literal["intervals"]
    title: str
    unit: str
    intervals: list[IntervalData]
    note: str


class ScatterPlotData(TypedDict):
    """Points of base and head on equal axes."""

    kind: Literal["scatter"]
    title: str
    x_label: str
    y_label: str
    points: list[tuple[float | None, float | None]]
    note: str


class HistogramData(TypedDict):
    """Counts between edges."""

    kind: Literal["histogram"]
    title: str
    x_label: str
    edges: list[float | None]
    counts: list[int]
    note: str


class SeriesData(TypedDict):
    """One line of a trend: a value for each name, null where there is none."""

    label: str
    values: list[float | None]


class TrendData(TypedDict):
    """One quantity over named releases, oldest first; the last is the head."""

    kind: Literal["trend"]
    title: str
    unit: str
    names: list[str]
    series: list[SeriesData]
    note: str


class RecordData(TypedDict):
    """What is needed to make a measurement again, as names and values."""

    kind: Literal["record"]
    title: str
    digest: str
    facts: list[tuple[str, str]]


ExhibitData = (
    TableData | IntervalPlotData | ScatterPlotData | HistogramData | TrendData | RecordData
)


def exhibit_data(exhibit: Exhibit) -> ExhibitData:
    """Return what the JSON holds of one exhibit."""
    match exhibit:
        case Table():
            return _table(exhibit)
        case IntervalPlot(title, unit, intervals, note):
            return {
                "kind": "intervals",
                "title": title,
                "unit": unit,
                "intervals": [_interval(i) for i in intervals],
                "note": note,
            }
        case ScatterPlot(title, x_label, y_label, points, note):
            return {
                "kind": "scatter",
                "title": title,
                "x_label": x_label,
                "y_label": y_label,
                "points": [(_number(x), _number(y)) for x, y in points],
                "note": note,
            }
        case Histogram(title, x_label, edges, counts, note):
            return {
                "kind": "histogram",
                "title": title,
                "x_label": x_label,
                "edges": [_number(edge) for edge in edges],
                "counts": list(counts),
                "note": note,
            }
        case Trend(title, unit, names, series, note):
            return {
                "kind": "trend",
                "title": title,
                "unit": unit,
                "names": list(names),
                "series": [_series(one) for one in series],
                "note": note,
            }
        case Record(title, digest, facts):
            return {"kind": "record", "title": title, "digest": digest, "facts": list(facts)}


def _table(table: Table) -> TableData:
    return {
        "kind": "table",
        "title": table.title,
        "columns": list(table.columns),
        "rows": [list(row) for row in table.rows],
        "record": table.record,
    }


def _interval(interval: Interval) -> IntervalData:
    return {
        "label": interval.label,
        "low": _number(interval.low),
        "estimate": _number(interval.estimate),
        "high": _number(interval.high),
        "verdict": interval.verdict,
        "base": _number(interval.base),
        "head": _number(interval.head),
        "record": interval.record,
    }


def _series(series: Series) -> SeriesData:
    return {"label": series.label, "values": [_number(value) for value in series.values]}


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
