"""How every metric and slice moved from base to head, paired item by item.

For people to see: the verdict is the gate's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lab.items.slices import slices
from lab.metrics.catalog import main, tallies
from lab.metrics.measure import LEAST
from lab.metrics.scored import pair
from lab.metrics.tally import Bounds, Corpus, Ratio, Tally, independent, seed_of
from lab.protocol import Task, TaskScores


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric of both models on the same items.

    `low` to `high` covers the true `difference`, head minus base, in 1 - alpha of samples; both
    are None where there is nothing to tell an error from. `n` is how many items were paired,
    and `better` the direction in which the metric is better.
    """

    task: str
    slice: str
    metric: str
    base: float
    head: float
    difference: float
    low: float | None
    high: float | None
    n: int
    better: Literal["higher", "lower"]


def changes(
    task: Task, base: TaskScores, head: TaskScores, alpha: float = 0.05, least: int = LEAST
) -> tuple[MetricChange, ...]:
    """Compare every metric, and the main ones on every slice. Raises LabError.

    Slices of fewer than `least` independent items have no interval.
    """
    n = min(len(base.items), len(head.items))
    before = pair(task, replace(base, items=base.items[:n]))
    after = pair(task, replace(head, items=head.items[:n]))
    found, clusters, seed = tallies(before), before.clusters, seed_of(task.name)
    heads = {tally.metric: tally for tally in tallies(after)}
    pairs = [(tally, heads[tally.metric]) for tally in found if tally.metric in heads]
    moved = [
        _change(task, "", left, right, _bounds(left, right, clusters, alpha, seed))
        for left, right in pairs
    ]
    names = {tally.metric for tally in main(found)}
    for part in slices(task).first(n):
        named = [clusters[number] for number in part.items]
        for whole, other in pairs:
            if whole.metric in names:
                left, right = whole.part(part.items), other.part(part.items)
                few = independent(named) < least
                bounds = None if few else _bounds(left, right, named, alpha, seed)
                moved.append(_change(task, part.name, left, right, bounds))
    return tuple(moved)


def _bounds(base: Tally, head: Tally, clusters: Sequence[str], alpha: float, seed: int) -> Bounds:
    if isinstance(base, Ratio) and isinstance(head, Ratio):
        return base.change(head, clusters, alpha, seed)
    assert isinstance(base, Corpus) and isinstance(head, Corpus)
    return base.change(head, clusters, alpha, seed)


def _change(task: Task, part: str, base: Tally, head: Tally, bounds: Bounds) -> MetricChange:
    low, high = bounds or (None, None)
    return MetricChange(
        task=task.name,
        slice=part,
        metric=base.metric,
        base=base.value,
        head=head.value,
        difference=head.value - base.value,
        low=low,
        high=high,
        n=max(base.n, head.n),
        better="higher" if base.higher_is_better else "lower",
    )
