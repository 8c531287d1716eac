"""Measure one model: scores of every task, and what they come to, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab.folder import ModelFiles
from lab.load import load, settle
from lab.plain import Progress
from lab.protocol import ModelScores, Task, TaskScores
from lab.score import score
from lab.statistics import ratio, wilson


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number about a model: `low` to `high` covers the truth in 1 - `alpha` of samples.

    Both are None where there are too few items to tell.
    """

    task: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    alpha: float


def measure(
    name: str,
    files: ModelFiles,
    tasks: Iterable[Task],
    device: str = "auto",
    *,
    progress: Progress | None = None,
) -> ModelScores:
    """Load the model and score the tasks. Raises ModelError."""
    settle(threads=0)
    model = load(files, device)
    return ModelScores(
        model=name,
        fingerprint=model.fingerprint,
        parameters=model.parameters,
        architecture=model.architecture,
        device=model.device,
        dtype=model.dtype,
        tasks=tuple(score(model, task, progress=progress) for task in tasks),
    )


def summarise(scores: TaskScores, alpha: float = 0.05) -> tuple[Measurement, ...]:
    """Sum one task up: bits per byte, and perplexity of texts or accuracy of answers."""
    if not scores.items:
        return ()
    if scores.items[0].correct is None:
        return _of_texts(scores, alpha)
    return _of_choices(scores, alpha)


def metrics(found: Iterable[Measurement]) -> Mapping[str, Mapping[str, float]]:
    """Return {task: {metric: value}}, the form that `dvc metrics diff` reads."""
    table: dict[str, dict[str, float]] = {}
    for one in found:
        table.setdefault(one.task, {})[one.metric] = one.value
    return table


def _of_texts(scores: TaskScores, alpha: float) -> tuple[Measurement, ...]:
    nats = [item.nll for item in scores.items]
    clusters = [item.cluster for item in scores.items]
    token = ratio(nats, [float(item.tokens) for item in scores.items], clusters)
    found = token.interval(alpha)
    perplexities = (_exp(found[0]), _exp(found[1])) if found else None
    return (
        _bits(scores, alpha),
        _measurement(scores, "token_perplexity", _exp(token.value), perplexities, alpha),
    )


def _bits(scores: TaskScores, alpha: float) -> Measurement:
    nats = [item.nll for item in scores.items]
    sizes = [item.bytes * math.log(2) for item in scores.items]
    found = ratio(nats, sizes, [item.cluster for item in scores.items])
    return _measurement(scores, "bits_per_byte", found.value, found.interval(alpha), alpha)


def _of_choices(scores: TaskScores, alpha: float) -> tuple[Measurement, ...]:
    clusters = [item.cluster for item in scores.items]
    ones = [1.0] * len(scores.items)
    right = [float(bool(item.correct)) for item in scores.items]
    share = ratio(right, ones, clusters)
    bounds = share.interval(alpha)
    if bounds and any(clusters) and share.error > 0:
        bounds = max(0.0, bounds[0]), min(1.0, bounds[1])
    else:
        bounds = wilson(share.value, share.degrees + 1, alpha)
    return (
        _measurement(scores, "accuracy", share.value, bounds, alpha),
        _bits(scores, alpha),
    )


def _measurement(
    scores: TaskScores,
    metric: str,
    value: float,
    bounds: tuple[float, float] | None,
    alpha: float,
) -> Measurement:
    low, high = bounds or (None, None)
    return Measurement(scores.task, metric, value, low, high, len(scores.items), alpha)


def _exp(nats: float) -> float:
    return math.exp(min(nats, 700.0))  # beyond it no float holds the perplexity
