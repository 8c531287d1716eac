"""Tables of measurements, and of what became of them since another release."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lab.metrics.measure import Measurement
from lab.record import Record
from registry.release.pages.frontmatter import kept
from registry.release.pages.prose import (
    NAME,
    UNSTATED,
    code,
    count,
    opening,
    plain,
    short,
    size,
    table,
)
from registry.release.values import Artifact, Release

ROWS = 200  # of one table of differences
Key = tuple[str, str, str]


def figure(value: float) -> str:
    """Return a number as people read it: 0.907, 2.631, 1.2e-09; "n/a" where it is none."""
    if not math.isfinite(value):
        return "n/a"
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or not value else f"{value:.4g}"


def interval(one: Measurement) -> str:
    """Return "0.847 to 0.966", or a dash where there were too few items to tell."""
    if one.low is None or one.high is None:
        return "–"
    return f"{figure(one.low)} to {figure(one.high)}"


def share(alpha: float) -> str:
    """Return "95 %" of an alpha of 0.05."""
    return f"{round(100 * (1 - alpha), 3):g} %"


def held(one: Artifact) -> tuple[str, str]:
    """Return how many files an artifact has and their size, as far as that is stated."""
    if one.files:
        return count(len(one.files), "file"), size(one.size)
    if not one.pointers:
        return UNSTATED, UNSTATED
    folders = any(pointer.kind == "dvc-folder" for pointer in one.pointers)
    known = all(pointer.size >= 0 for pointer in one.pointers)
    files = "a folder" if folders else count(len(one.pointers), "file")
    return files, size(one.size) if known else UNSTATED


def measured(record: Record) -> list[str]:
    """Return the table of one measurement, and the digests that prove it."""
    shown = kept(record)
    heads = ("Metric", "Slice", "Value", f"{share(record.alpha)} interval", "n", "Better is")
    rows = (
        (
            code(one.metric),
            plain(one.slice, NAME) or "all",
            figure(one.value),
            interval(one),
            f"{one.n:,}",
            "higher" if one.higher_is_better else "lower",
        )
        for one in shown
    )
    left = len(record.measurements) - len(shown)
    more = (
        f" {count(left, 'more number')} of slices in `release/measurements.json`." if left else ""
    )
    of = count(record.of, "item")
    part = f"all {of}" if record.n == record.of else f"{record.n:,} of {of}: ended early"
    about = (
        f"{opening(record.kind, 40)}, {part}; {plain(record.device, 100)},"
        f" {plain(record.dtype, 40)}; items {code(short(record.items))},"
        f" record {code(record.digest)}.{more}"
    )
    notes = [f"- {opening(note)}" for note in record.notes[:20]]
    body = table(heads, rows, right="  rrr") if shown else ["No numbers."]
    return [
        f"### {plain(record.task, NAME)}",
        "",
        *body,
        "",
        about,
        *([""] if notes else []),
        *notes,
    ]


def compared(release: Release, previous: Release) -> list[str]:
    """Return the outcome of each comparison and the table of numbers then and now."""
    said = [
        f"- Against {code(one.version)}: **{plain(one.outcome, 40)}**. {plain(one.summary)}"
        f" Report {code(short(one.report)) if one.report else 'not stated'}."
        for one in release.against
    ]
    if not said:
        said = ["- No paired comparison with an earlier release is part of this one."]
    rows = list(_differences(release, previous))
    then = plain(previous.version, 100)
    heads = ("Task", "Metric", "Slice", f"In {then}", "Now", "Difference", "")
    left = len(rows) - ROWS
    more = ["", f"{count(left, 'more row')} in `release/measurements.json`."] if left > 0 else []
    shown = ["", *table(heads, rows[:ROWS], right="   rrr")] if rows else []
    return [*said, *shown, *more]


def _differences(release: Release, previous: Release) -> Iterator[tuple[str, ...]]:
    before = _by_key(previous)
    for key, (record, now) in _by_key(release).items():
        task, metric, part = key
        names = (plain(task, NAME), code(metric), plain(part, NAME) or "all")
        then = before.get(key)
        if then is None:
            yield (*names, "–", _with(now), "–", "new")
        elif then[0].items != record.items:
            yield (*names, _with(then[1]), _with(now), "–", "other items: not comparable")
        else:
            change = now.value - then[1].value
            gone = (
                "n/a" if not math.isfinite(change) else ("+" if change > 0 else "") + figure(change)
            )
            yield (*names, _with(then[1]), _with(now), gone, _word(change, now))
    after = _by_key(release)
    for key, (_, then_) in before.items():
        if key not in after:
            task, metric, part = key
            where = (plain(task, NAME), code(metric), plain(part, NAME) or "all")
            yield (*where, _with(then_), "–", "–", "no longer measured")


def _by_key(release: Release) -> dict[Key, tuple[Record, Measurement]]:
    return {
        (record.task, one.metric, one.slice): (record, one)
        for record in release.measurements
        for one in kept(record)
    }


def _with(one: Measurement) -> str:
    between = interval(one)
    return figure(one.value) if between == "–" else f"{figure(one.value)} ({between})"


def _word(change: float, one: Measurement) -> str:
    if not math.isfinite(change):
        return ""
    if not change:
        return "same"
    return "better" if (change > 0) is one.higher_is_better else "worse"
