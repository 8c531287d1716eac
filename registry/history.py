"""What past releases measured: one series for each metric of each task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.documents import DocumentError, load_json

LIMIT = 1_000_000  # bytes of one release's metrics
MAX_SERIES = 500
MAX_NAME = 200  # characters of a task or metric


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One number of each release, None where it has none."""

    task: str
    metric: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Series over releases by name, oldest first; `notes` say why some have no numbers."""

    releases: tuple[str, ...]
    series: tuple[MetricSeries, ...]
    notes: tuple[str, ...] = ()


def history(
    releases: Sequence[tuple[str, str]], path: str, read: Callable[[str, str, int], bytes]
) -> History:
    """Read the metrics at `path` of every (name, commit): {task: {metric: number}}.

    `read(commit, path, limit)` raises DocumentError where it cannot; such a release is a gap.
    """
    tables: list[Mapping[tuple[str, str], float]] = []
    gaps: dict[str, list[str]] = {}
    for name, commit in releases:
        try:
            tables.append(_table(read(commit, path, LIMIT)))
        except DocumentError as error:
            tables.append({})
            gaps.setdefault(error.message, []).append(name)
    notes = [f"{path} {reason}: {', '.join(names)}" for reason, names in gaps.items()]
    keys = sorted({key for table in tables for key in table})
    if len(keys) > MAX_SERIES:
        notes.append(f"{len(keys) - MAX_SERIES:,} more metrics left out")
    series = tuple(
        MetricSeries(*key, tuple(table.get(key) for table in tables)) for key in keys[:MAX_SERIES]
    )
    return History(tuple(name for name, _ in releases), series, tuple(notes))


def _table(data: bytes) -> dict[tuple[str, str], float]:
    table = {}
    for task, metrics in _mapping(load_json(data, limit=LIMIT), "the file").items():
        for metric, value in _mapping(metrics, f"'{task}'").items():
            table[task, metric] = _number(value, f"'{task}', '{metric}'")
    return table


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"is no metrics file: {where} is not an object")
    if any(len(name) > MAX_NAME for name in value):
        raise DocumentError(f"is no metrics file: a name has more than {MAX_NAME} characters")
    return value


def _number(value: Any, where: str) -> float:
    # An integer beyond what a float holds overflows; 1e999 is read as infinity.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(f"is no metrics file: {where} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise DocumentError(f"is no metrics file: {where} is not finite")
    return number
