"""What a verdict shows besides findings: tables and plots as plain data, drawn by the reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column names; every row is as long as `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """One estimate with its interval; `verdict` is a word such as "regressed"."""

    label: str
    low: float
    estimate: float
    high: float
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """Intervals on one axis (`unit` names it); the line at zero means "no change"."""

    title: str
    unit: str
    intervals: tuple[Interval, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScatterPlot:
    """Points (base, head) of one quantity on equal axes, with the diagonal "no change"."""

    title: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How values are spread; `edges` has one more entry than `counts`."""

    title: str
    x_label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    note: str = ""


Exhibit = Table | IntervalPlot | ScatterPlot | Histogram
