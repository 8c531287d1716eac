"""The verdict on each slice of the tasks: where a change hurts, once all is scored. Pure.

Slices are many and overlap: here the share of false alarms among all alarms is kept (Benjamini
and Hochberg), not the chance of any. They explain a verdict on a task, they do not make it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lab.deciding.compare import Comparison, compare
from lab.deciding.gate import Channel, Ruling
from lab.deciding.replay import LEAST, losses_of, p_values
from lab.items.order import looks
from lab.items.slices import Slice
from lab.protocol import Gate, Task, TaskScores
from lab.statistics import benjamini_hochberg

_TESTS = ("likelihood", "accuracy", "worse", "better")


@dataclass(frozen=True, slots=True)
class SliceDecision:
    """The verdict on a slice; its p-values are adjusted for the number of slices and looks.

    `low` to `high` covers the true difference of this slice alone in 1 - 2 alpha of samples.
    With fewer than LEAST independent items there is no verdict: it is inconclusive.
    """

    task: str
    name: str
    verdict: Ruling
    harmed: tuple[Channel, ...]
    comparison: Comparison
    likelihood: float
    accuracy: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    comparison: Comparison
    p: dict[str, float]
    low: float
    high: float


def judge_slices(
    tasks: Sequence[Task],
    base: Sequence[TaskScores],
    head: Sequence[TaskScores],
    gate: Gate,
    slices: Sequence[Sequence[Slice]],
) -> tuple[SliceDecision, ...]:
    """Judge the slices of every task on the items that were scored. Raises CompareError.

    `slices` are those of each task (lab/items/slices.py), in its order of items. Where scoring may
    stop early the p-values count every look it could have stopped at.
    """
    found = [
        one
        for task, before, after, cuts in zip(tasks, base, head, slices, strict=True)
        for one in _found(before, after, gate, cuts, len(looks(task, gate)))
    ]
    adjusted = {
        **_adjusted(found, ("likelihood", "accuracy")),
        **_adjusted(found, ("worse",)),
        **_adjusted(found, ("better",)),
    }
    return tuple(
        _decision(one, {name: adjusted.get((number, name), 1.0) for name in _TESTS}, gate)
        for number, one in enumerate(found)
    )


def _found(
    base: TaskScores, head: TaskScores, gate: Gate, slices: Sequence[Slice], count: int
) -> list[_Found]:
    found = []
    for part in slices:
        numbers = [number for number in part.items if number < len(base.items)]
        if not numbers:
            continue
        sides = [replace(s, items=tuple(s.items[n] for n in numbers)) for s in (base, head)]
        comparison = compare(sides[0], sides[1])
        known = p_values(comparison, losses_of(sides[0], sides[1]), gate)
        if comparison.clusters < LEAST or comparison.lossy:
            known = {}
        low = high = comparison.difference
        if comparison.mean:
            low, high = comparison.mean.interval(gate.alpha / count)
        p = {name: min(1.0, value * count) for name, value in known.items()}
        found.append(_Found(part.name, comparison, p, low, high))
    return found


def _adjusted(found: Sequence[_Found], tests: Sequence[str]) -> dict[tuple[int, str], float]:
    """Adjust the p-values of these tests of all slices together."""
    keys = [(number, name) for number, one in enumerate(found) for name in tests if name in one.p]
    values = benjamini_hochberg([found[number].p[name] for number, name in keys])
    return dict(zip(keys, values, strict=True))


def _decision(one: _Found, p: dict[str, float], gate: Gate) -> SliceDecision:
    channels: tuple[Channel, ...] = ("likelihood", "accuracy")
    harmed = tuple(name for name in channels if p[name] <= gate.alpha)
    verdict = Ruling.INCONCLUSIVE
    if one.comparison.identical and one.comparison.clusters >= LEAST:
        verdict = Ruling.IDENTICAL
    elif harmed:
        verdict = Ruling.REGRESSED
    elif one.p.get("passing", 1.0) <= gate.alpha:
        verdict = Ruling.WITHIN_TOLERANCE if p["worse"] <= gate.alpha else Ruling.PASS
        verdict = Ruling.IMPROVED if p["better"] <= gate.alpha else verdict
    return SliceDecision(
        task=one.comparison.task,
        name=one.name,
        verdict=verdict,
        harmed=harmed,
        comparison=one.comparison,
        likelihood=p["likelihood"],
        accuracy=p["accuracy"] if one.comparison.accuracy else None,
        low=one.low,
        high=one.high,
    )
