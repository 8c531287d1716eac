"""Is head worse than base? The verdict on every task, from the scores so far. Pure.

Harm is tested by likelihood and, where there are answers, by accuracy: all these tests share
one error rate (Holm), and each keeps it over all looks (lab/deciding/boundary.py). A pass is
never the mere absence of harm: a loss beyond tolerance and resolution must itself be ruled out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from lab.deciding.compare import UNIT, Comparison, ItemChange, most_changed
from lab.deciding.replay import LEAST, Trail, replay
from lab.protocol import Gate, Kind, Task, TaskScores
from lab.statistics import holm, student_quantile

Channel = Literal["likelihood", "accuracy"]


class Ruling(StrEnum):
    """What a comparison comes to. INCONCLUSIVE is never a pass."""

    IDENTICAL = "identical"
    PASS = "no worse"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    WITHIN_TOLERANCE = "within tolerance"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one task, and why in one line.

    `harmed` says by what head is worse beyond the tolerance. All p-values hold whatever the
    look, and are adjusted for the number of tests: `drift` (two-sided) of any change of the
    likelihood at all; `likelihood` and `accuracy` of harm. `low` to `high` covers the true
    difference in `confidence` of all samples. `detectable` is the smallest worsening beyond the
    tolerance that would have been found with the gate's power at the items used, 0 where
    nothing can be said. Of `planned` items, those of the comparison were used in `looks` looks;
    `settled`: no item more can change the verdict. `needed` is how many items more would decide
    it, 0 where it is decided or nobody can tell.
    """

    task: str
    verdict: Ruling
    reason: str
    comparison: Comparison | None
    harmed: tuple[Channel, ...]
    drift: float
    likelihood: float
    accuracy: float | None
    low: float
    high: float
    confidence: float
    detectable: float
    looks: int
    planned: int
    settled: bool
    needed: int
    changed: tuple[ItemChange, ...]

    @property
    def n(self) -> int:
        """Return how many items the verdict rests on."""
        return self.comparison.n if self.comparison else 0


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """A task's p-values, adjusted for the number of tests."""

    likelihood: float
    accuracy: float
    worse: float
    better: float
    drift: float


def judge(
    tasks: Sequence[Task],
    base: Sequence[TaskScores],
    head: Sequence[TaskScores],
    gate: Gate,
) -> tuple[Decision, ...]:
    """Judge all tasks together. Raises CompareError.

    The scores are of the first items of each task: as many as there are so far, or none.
    """
    members = sum(1 if task.kind is Kind.TEXT else 2 for task in tasks)
    trails = [
        replay(task, before, after, gate, members)
        for task, before, after in zip(tasks, base, head, strict=True)
    ]
    return tuple(
        _decision(task, trail, adjusted, gate, most_changed(task, before, after))
        for task, trail, adjusted, before, after in zip(
            tasks, trails, _adjusted(trails), base, head, strict=True
        )
    )


def _adjusted(trails: Sequence[Trail]) -> list[_Adjusted]:
    """Adjust by Holm's method: the tests for harm together, the others over the tasks."""
    count = len(trails)
    answered = [place for place, trail in enumerate(trails) if trail.accuracy is not None]
    accuracies = [trail.accuracy for trail in trails if trail.accuracy is not None]
    harm = holm([trail.likelihood for trail in trails] + accuracies)
    accuracy = dict(zip(answered, harm[count:], strict=True))
    return [
        _Adjusted(harm[place], accuracy.get(place, 1.0), worse, better, drift)
        for place, (worse, better, drift) in enumerate(
            zip(
                holm([t.worse for t in trails]),
                holm([t.better for t in trails]),
                holm([min(1.0, 2 * min(t.worse, t.better)) for t in trails]),
                strict=True,
            )
        )
    ]


def _decision(
    task: Task, trail: Trail, p: _Adjusted, gate: Gate, changed: tuple[ItemChange, ...]
) -> Decision:
    found = trail.comparison
    harmed = _harmed(trail, p, gate)
    verdict = _verdict(trail, p, gate, harmed)
    low, high = 0.0, 0.0
    detectable = 0.0
    if found:
        low = high = found.difference
    if found and found.mean:
        low, high = found.mean.interval(trail.level)
        degrees = found.mean.degrees
        reach = student_quantile(1 - trail.share, degrees) + student_quantile(gate.power, degrees)
        detectable = reach * found.mean.error
    needed = _needed(trail, high - low, gate) if verdict is Ruling.INCONCLUSIVE else 0
    return Decision(
        task=task.name,
        verdict=verdict,
        reason=_reason(trail, verdict, harmed, (low, high), gate, needed),
        comparison=found,
        harmed=harmed,
        drift=p.drift,
        likelihood=p.likelihood,
        accuracy=None if trail.accuracy is None else p.accuracy,
        low=low,
        high=high,
        confidence=1 - 2 * gate.alpha,
        detectable=detectable,
        looks=trail.looks,
        planned=trail.planned,
        settled=trail.settled,
        needed=needed,
        changed=changed,
    )


def _harmed(trail: Trail, p: _Adjusted, gate: Gate) -> tuple[Channel, ...]:
    """Say by what head is worse. What passed early stays passed, whatever other tasks say."""
    if trail.stopped and trail.passed and not trail.harmed:
        return ()
    channels: tuple[tuple[Channel, float], ...] = (
        ("likelihood", p.likelihood),
        ("accuracy", p.accuracy),
    )
    return tuple(name for name, p_value in channels if p_value <= gate.alpha)


def _verdict(trail: Trail, p: _Adjusted, gate: Gate, harmed: tuple[Channel, ...]) -> Ruling:
    found = trail.comparison
    if found is None or found.lossy:
        return Ruling.INCONCLUSIVE
    if found.identical:
        return Ruling.IDENTICAL if found.n == trail.planned else Ruling.INCONCLUSIVE
    if harmed:
        return Ruling.REGRESSED
    if not trail.passed:
        return Ruling.INCONCLUSIVE
    if p.better <= gate.alpha:
        return Ruling.IMPROVED
    return Ruling.WITHIN_TOLERANCE if p.worse <= gate.alpha else Ruling.PASS


def _needed(trail: Trail, width: float, gate: Gate) -> int:
    """Return how many items more would leave room for one answer only.

    An interval narrower than the resolution cannot hold both of its ends.
    """
    found = trail.comparison
    if found is None or found.lossy or found.mean is None or gate.resolution <= 0:
        return 0
    total = max(found.n * (width / gate.resolution) ** 2, found.n * LEAST / found.clusters)
    if found.accuracy and gate.accuracy_tolerance + gate.accuracy_resolution < 1:
        if trail.wealth <= 0:
            return 0
        total = max(total, -found.n * math.log(gate.alpha) / trail.wealth)
    return max(1, math.ceil(total) - found.n)


def _reason(
    trail: Trail,
    verdict: Ruling,
    harmed: tuple[Channel, ...],
    bounds: tuple[float, float],
    gate: Gate,
    needed: int,
) -> str:
    found = trail.comparison
    if found is None:
        return "nothing is scored yet"
    if verdict is Ruling.IDENTICAL:
        return f"all {found.n:,} items score the same"
    if found.lossy:
        count = f"{found.lossy:,} of {found.n:,} items"
        return f"head's tokenizer loses text, or leaves some unscored, in {count}"
    if found.mean is None:
        return f"{found.clusters:,} independent items without variance: no error can be told"
    moved = f"{found.difference:+.4g} {UNIT} ({bounds[0]:+.4g} to {bounds[1]:+.4g})"
    if verdict is Ruling.REGRESSED:
        return f"{moved}, tolerance {gate.tolerance:g}; worse by {' and '.join(harmed)}"
    if verdict is not Ruling.INCONCLUSIVE:
        return f"{moved}; a loss of {gate.tolerance + gate.resolution:g} is ruled out"
    more = f"; about {needed:,} items more would tell" if needed else ""
    few = ""
    if found.n < trail.planned:
        few = f"; {found.n:,} of {trail.planned:,} items scored"
    elif found.clusters < LEAST:
        few = f"; {found.clusters} independent items, fewer than {LEAST}"
    return f"{moved}{few}{more}"
