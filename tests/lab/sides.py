"""Scores of two models, made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lab.deciding.gate import Decision, judge
from lab.protocol import Gate, Item, ItemScore, Kind, Task, TaskScores

Numbers = Sequence[float] | np.ndarray


def texts(nats: Numbers, sizes: Sequence[int] = (), clusters: Sequence[str] = ()) -> TaskScores:
    items = tuple(
        ItemScore(
            str(n),
            float(nll),
            10,
            sizes[n] if sizes else 40,
            None,
            clusters[n] if clusters else "",
        )
        for n, nll in enumerate(nats)
    )
    return TaskScores("wiki", items)


def choices(nats: Numbers, right: str) -> TaskScores:
    items = (
        ItemScore(str(n), float(nll), 2, 4, letter == "+")
        for n, (nll, letter) in enumerate(zip(nats, right, strict=True))
    )
    return TaskScores("quiz", tuple(items))


def pair(
    shift: float, *, n: int = 60, noise: float = 1.0, seed: int = 1
) -> tuple[TaskScores, TaskScores]:
    random = np.random.default_rng(seed)
    base = random.gamma(20, 3, n)
    return texts(base), texts(np.maximum(base + shift + random.normal(0, noise, n), 0))


def task_of(scores: TaskScores) -> Task:
    """Return the task that such scores are of."""
    known = any(item.correct is not None for item in scores.items)
    items = tuple(Item(i.id, "", ("x", "y"), cluster=i.cluster) for i in scores.items)
    return Task(scores.task, items, Kind.CHOICES if known else Kind.TEXT)


def first(scores: TaskScores, n: int) -> TaskScores:
    return replace(scores, items=scores.items[:n])


def decided(base: TaskScores, head: TaskScores, gate: Gate, of: Task | None = None) -> Decision:
    [found] = judge([of or task_of(base)], [base], [head], gate)
    return found
