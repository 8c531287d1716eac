"""What a task's scores say at every look, replayed from the first. Pure, and without memory.

Whoever has the scores so far can replay them and comes to the same end: the worker, to know
whether to go on, and who does not trust the worker, to know whether it rightly stopped.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

from lab.deciding.betting import log_wealth
from lab.deciding.boundary import chance, height, level
from lab.deciding.compare import Accuracy, Comparison, compare
from lab.errors import CompareError
from lab.items.order import looks
from lab.protocol import Gate, Kind, Task, TaskScores
from lab.statistics import mcnemar, mean, together

LEAST = 30  # independent units without which nothing passes
EARLY = 150  # without which nothing passes before the last look: damage to 2 % must be among them
_TESTS = ("likelihood", "accuracy", "passing", "worse", "better")


@dataclass(frozen=True, slots=True)
class Trail:
    """Where the looks at one task have led so far.

    The p-values are one-sided and count every look: `likelihood` and `accuracy` of harm beyond
    the tolerance (accuracy None where the task has none), `worse` and `better` of any change of
    the likelihood. `wealth` is the logarithm of what betting against a loss of answers earned.
    `settled`: no item more can change the verdict, in the case of `harmed` because there is
    harm. `level` and `share` are the p-values that reject at this look, for the error rate and
    for a member's share of it. Before the first look the comparison is only a description.
    """

    comparison: Comparison | None
    looks: int
    planned: int
    likelihood: float
    accuracy: float | None
    worse: float
    better: float
    wealth: float
    passed: bool
    harmed: bool
    settled: bool
    level: float
    share: float

    @property
    def stopped(self) -> bool:
        """Whether it was settled before the last item."""
        return self.settled and self.comparison is not None and self.comparison.n < self.planned


def replay(task: Task, base: TaskScores, head: TaskScores, gate: Gate, members: int) -> Trail:
    """Look at the scores as far as they go, or until settled. Raises CompareError.

    `members` is the number of tests for harm, of all tasks, that share the error rate.
    """
    _check(task, base)
    plan, largest = looks(task, gate), _largest_cluster(task)
    times = tuple(look.units / plan[-1].units for look in plan)
    heights = dict.fromkeys(_TESTS, -math.inf)
    wealth, done = 0.0, 0
    found, passed, harmed, settled = None, False, False, False
    for look, time in zip(plan, times, strict=True):
        if settled or look.items > len(base.items):
            break
        done += 1
        sides = _first(base, look.items), _first(head, look.items)
        found = compare(*sides)
        losses = losses_of(*sides)
        for name, p_value in p_values(found, losses, gate).items():
            heights[name] = max(heights[name], height(p_value, time))
        wealth = max(wealth, _wealth(found, losses, gate, largest))
        chances = {name: _chance(highest, times) for name, highest in heights.items()}
        enough = found.clusters >= (LEAST if look is plan[-1] else EARLY)
        passed = enough and _passed(found, chances["passing"], wealth, gate)
        harmed = min(chances["likelihood"], chances["accuracy"]) <= gate.alpha / members
        settled = passed or harmed or found.lossy > 0 or look is plan[-1]
    if found is None and base.items:
        found = compare(base, head)
    chances = {name: _chance(highest, times) for name, highest in heights.items()}
    now = times[max(0, done - 1)]
    return Trail(
        comparison=found,
        looks=done,
        planned=plan[-1].items,
        likelihood=chances["likelihood"],
        accuracy=None if task.kind is Kind.TEXT else chances["accuracy"],
        worse=chances["worse"],
        better=chances["better"],
        wealth=wealth,
        passed=passed,
        harmed=harmed,
        settled=settled,
        level=level(gate.alpha, now, times),
        share=level(gate.alpha / members, now, times),
    )


def _first(scores: TaskScores, count: int) -> TaskScores:
    return replace(scores, items=scores.items[:count])


def _chance(highest: float, times: tuple[float, ...]) -> float:
    return chance(highest, times) if highest > -math.inf else 1.0


def _check(task: Task, base: TaskScores) -> None:
    if len(base.items) > len(task.items) or any(
        (item.id, item.cluster) != (score.id, score.cluster)
        for item, score in zip(task.items, base.items, strict=False)
    ):
        raise CompareError(
            f"{task.name}: the scores are not of its first items",
            "score the items in the order of the task",
        )


def _largest_cluster(task: Task) -> int:
    sizes = Counter(item.cluster for item in task.items if item.cluster)
    return max(sizes.values(), default=1)


@dataclass(frozen=True, slots=True)
class Losses:
    """For every item 1 where the answer turned wrong, -1 where it turned right, and its cluster."""

    values: tuple[float, ...]
    clusters: tuple[str, ...]


def losses_of(base: TaskScores, head: TaskScores) -> Losses:
    """Return which answers were lost."""
    values = tuple(
        float(bool(left.correct)) - float(bool(right.correct))
        for left, right in zip(base.items, head.items, strict=True)
    )
    return Losses(values, tuple(item.cluster for item in base.items))


def p_values(found: Comparison, losses: Losses, gate: Gate) -> dict[str, float]:
    """Return the one-sided p-values of these items alone, by test; none where none can be told.

    "likelihood" and "accuracy" are of harm, "passing" of less than the loss that must be seen,
    "worse" and "better" of any change.
    """
    known: dict[str, float] = {}
    if found.mean is not None:
        known["likelihood"] = found.mean.p_above(gate.tolerance)
        known["passing"] = found.mean.p_below(gate.tolerance + gate.resolution)
        known["worse"] = found.mean.p_above(0.0)
        known["better"] = found.mean.p_below(0.0)
    if found.accuracy is not None:
        known["accuracy"] = _lost(found.accuracy, losses, gate.accuracy_tolerance)
    return known


def _lost(found: Accuracy, losses: Losses, tolerance: float) -> float:
    """Return the p-value against "no larger share of right answers was lost than tolerated".

    Exact where it can be. Elsewhere a t test: against harm, rare losses make it cautious.
    """
    if tolerance == 0 and not any(losses.clusters):
        return mcnemar(found.lost, found.gained)[0]
    value = math.fsum(losses.values) / len(losses.values)
    estimate = mean(value, [loss - value for loss in losses.values], losses.clusters)
    return estimate.p_above(tolerance) if estimate else 1.0


def _wealth(found: Comparison, losses: Losses, gate: Gate, largest: int) -> float:
    """Return the logarithm of what betting against a loss of answers unseen has earned.

    A t test would not do: where losses are rare, a sample without any looks certain.
    """
    margin = gate.accuracy_tolerance + gate.accuracy_resolution
    if margin >= 1 or found.accuracy is None:
        return 0.0
    sums = together([margin - loss for loss in losses.values], losses.clusters)
    return log_wealth(sums, largest * (1 - margin))


def _passed(found: Comparison, passing: float, wealth: float, gate: Gate) -> bool:
    """Say whether a loss beyond tolerance and resolution is ruled out."""
    if found.lossy or passing > gate.alpha:
        return False
    seen = gate.accuracy_tolerance + gate.accuracy_resolution < 1
    return not (found.accuracy and seen) or wealth >= -math.log(gate.alpha)
