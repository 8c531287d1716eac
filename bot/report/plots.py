"""Exhibits as HTML and inline SVG: no script, no network, colour never the only sign."""

from __future__ import annotations

from collections.abc import Container

from bot.exhibit import Exhibit, Histogram, IntervalPlot, Record, ScatterPlot, Table, Trend
from bot.report import frames, intervals, records, trends
from bot.report.markup import Safe, join, quiet, tag, text, when
from bot.report.neutral import cut
from bot.wording import plural

ROWS, CELL = 100, 300  # table rows, and characters of a cell, shown at most


def draw(exhibit: Exhibit, known: Container[str] = ()) -> Safe:
    """Return one exhibit as a figure; `known` are the digests whose records can be linked."""
    match exhibit:
        case Table():
            source = when(exhibit.record, records.source(exhibit.record, known))
            return _figure(exhibit.title, join((_table(exhibit), source)), "")
        case IntervalPlot():
            return _figure(exhibit.title, intervals.draw(exhibit, known), exhibit.note)
        case ScatterPlot():
            return _figure(exhibit.title, frames.scatter(exhibit), exhibit.note, "small")
        case Histogram():
            return _figure(exhibit.title, frames.histogram(exhibit), exhibit.note, "small")
        case Trend():
            return _figure(exhibit.title, trends.draw(exhibit), exhibit.note)
        case Record():
            return _figure(exhibit.title, records.facts(exhibit), "")


def _figure(title: str, body: Safe, note: str, kind: str = "wide") -> Safe:
    below = when(note, quiet(note))
    return tag("figure", tag("figcaption", text(title)), body, below, class_=kind)


def _table(table: Table) -> Safe:
    if not table.rows:
        return quiet("No rows.")
    numeric = [all(_looks_numeric(r[i]) for r in table.rows) for i in range(len(table.columns))]
    kinds = ["number" if n else "" for n in numeric]
    head = join(
        tag("th", text(c), scope="col", class_=k)
        for c, k in zip(table.columns, kinds, strict=False)
    )
    body = join(
        tag(
            "tr",
            join(tag("td", text(cut(c, CELL)), class_=k) for c, k in zip(row, kinds, strict=False)),
        )
        for row in table.rows[:ROWS]
    )
    shown = tag("table", tag("thead", tag("tr", head)), tag("tbody", body))
    return join((tag("div", shown, class_="scroll"), _rest(len(table.rows), "more row")))


def _looks_numeric(cell: str) -> bool:
    return cell.strip("+-−%., ~<>=")[:1].isdigit() and len(cell) < 16


def _rest(count: int, noun: str) -> Safe:
    return when(count > ROWS, quiet(f"… and {plural(count - ROWS, noun)}"))
