"""The items of a task together with what a model made of them."""

from __future__ import annotations

from dataclasses import dataclass

from lab.errors import CompareError
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores


@dataclass(frozen=True, slots=True)
class Scored:
    """The first items of a task, as far as they were scored, each with its score.

    `predictions` are the choices that the model takes, -1 where nobody knows: the likeliest,
    the first of several that are equally likely; without log-likelihoods, what it wrote.
    """

    task: Task
    items: tuple[Item, ...]
    scores: tuple[ItemScore, ...]
    predictions: tuple[int, ...]

    @property
    def clusters(self) -> tuple[str, ...]:
        """Return the cluster of every item."""
        return tuple(item.cluster for item in self.items)

    @property
    def has_nats(self) -> bool:
        """Return whether every choice of every item has its log-likelihood."""
        pairs = zip(self.items, self.scores, strict=True)
        return all(len(score.nats) == len(item.choices) for item, score in pairs)


def pair(task: Task, scores: TaskScores) -> Scored:
    """Lay scores beside the items of their task. Raises CompareError."""
    items = task.items[: len(scores.items)]
    if scores.task != task.name or [i.id for i in items] != [s.id for s in scores.items]:
        message = f"{task.name:.80}: the scores are not of this task's items"
        raise CompareError(message, "score the model on this task again")
    return Scored(task, items, scores.items, tuple(map(_prediction, items, scores.items)))


def is_right(scored: Scored) -> tuple[float, ...]:
    """Return 1 for each item answered rightly, 0 for each other."""
    if scored.task.kind in (Kind.CHOICES, Kind.LABEL):
        chosen = zip(scored.predictions, scored.items, strict=True)
        return tuple(float(choice == item.answer) for choice, item in chosen)
    return tuple(float(bool(score.correct)) for score in scored.scores)


def _prediction(item: Item, score: ItemScore) -> int:
    if score.nats:
        return score.nats.index(min(score.nats))
    if score.output in item.choices:
        return item.choices.index(score.output)
    return item.answer if score.correct else -1
