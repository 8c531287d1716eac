"""What the scores of one model come to, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.items.slices import slices
from lab.metrics.catalog import main, tallies
from lab.metrics.scored import pair
from lab.metrics.tally import Bounds, Tally, independent, seed_of
from lab.protocol import Task, TaskScores

LEAST = 30


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number about a model: `low` to `high` covers the truth in 1 - `alpha` of samples.

    Both are None where there are too few items to tell. `n` is how many items count, and
    `slice` which, "" for all. `signature` is the metric's own, or says what the number is.
    """

    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    alpha: float
    slice: str = ""
    higher_is_better: bool = False
    signature: str = ""


def summarise(
    task: Task, scores: TaskScores, alpha: float = 0.05, least: int = LEAST
) -> tuple[Measurement, ...]:
    """Sum one task up: all its metrics, and the main ones of every slice. Raises LabError.

    Slices of fewer than `least` independent items have no interval.
    """
    scored = pair(task, scores)
    found, clusters, seed = tallies(scored), scored.clusters, seed_of(task.name)
    sums = [_measurement(task, "", t, t.interval(clusters, alpha, seed), alpha) for t in found]
    for part in slices(task).first(len(clusters)):
        named = [clusters[number] for number in part.items]
        for tally in (whole.part(part.items) for whole in main(found)):
            few = independent(named) < least
            bounds = None if few else tally.interval(named, alpha, seed)
            sums.append(_measurement(task, part.name, tally, bounds, alpha))
    return tuple(sums)


def metrics(found: Iterable[Measurement]) -> Mapping[str, Mapping[str, float]]:
    """Return {task: {metric: value}} without slices, the form that `dvc metrics diff` reads."""
    table: dict[str, dict[str, float]] = {}
    for one in found:
        if not one.slice:
            table.setdefault(one.task, {})[one.metric] = one.value
    return table


def _measurement(task: Task, part: str, tally: Tally, bounds: Bounds, alpha: float) -> Measurement:
    low, high = bounds or (None, None)
    return Measurement(
        task.name,
        tally.metric,
        tally.value,
        low,
        high,
        tally.n,
        alpha,
        part,
        tally.higher_is_better,
        tally.signature,
    )
