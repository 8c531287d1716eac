"""What a verdict shows besides findings: tables and plots as plain data, drawn by the reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column names; every row is as long as `columns`.

    `record` is the digest of the Record that its numbers come from.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    record: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """One estimate with its interval; `verdict` is a word such as "regressed".

    `base` and `head` are what the estimate is the difference of; `record` is as in Table.
    """

    label: str
    low: float
    estimate: float
    high: float
    verdict: str = ""
    base: float | None = None
    head: float | None = None
    record: str = ""


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


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a Trend: a value for each of its names, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """One quantity (`unit` names it) over named releases, oldest first; the last is the head."""

    title: str
    unit: str
    names: tuple[str, ...]
    series: tuple[Series, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What is needed to make a measurement again, as (name, value); `digest` is hex."""

    title: str
    digest: str
    facts: tuple[tuple[str, str], ...]


Exhibit = Table | IntervalPlot | ScatterPlot | Histogram | Trend | Record
