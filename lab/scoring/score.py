"""Scores of a task, a stage at a time or all at once, whatever its kind and the model's."""

from __future__ import annotations

from typing import Literal, Protocol

from lab.errors import ModelError
from lab.model.family import ONLY
from lab.model.load import Model
from lab.protocol import ItemScore, Kind, Task, TaskScores, Usage
from lab.scoring import causal, classify, generate, seq2seq
from lab.scoring.plain import Progress


class Scorer(Protocol):
    """Scores a task with a model, a stage at a time; how it is split moves no score."""

    @property
    def level(self) -> Literal["plain", "prefix"]:
        """How the scores were computed."""
        ...

    @property
    def gap(self) -> float | None:
        """The largest difference seen between two ways of computing them."""
        ...

    @property
    def read(self) -> int:
        """How many tokens the model has read."""
        ...

    def take(self, count: int, progress: Progress | None = None) -> tuple[ItemScore, ...]:
        """Score the next `count` items of the task, fewer at its end. Raises ModelError."""
        ...


def scorer(model: Model, task: Task, *, batch_tokens: int = 0) -> Scorer:
    """Return what scores such a task with such a model. Raises ModelError where nothing does."""
    if model.family == "causal" and task.kind in causal.KINDS:
        return causal.CausalScorer(model, task, batch_tokens)
    if model.family == "seq2seq" and task.kind in seq2seq.KINDS:
        return seq2seq.PairScorer(model, task, batch_tokens)
    if model.family == "classifier" and task.kind in classify.KINDS:
        return classify.LabelScorer(model, task, batch_tokens)
    if model.family != "classifier" and task.kind is Kind.GENERATE:
        likely = scorer(model, generate.target(model, task), batch_tokens=batch_tokens)
        return generate.GenerationScorer(model, task, likely, batch_tokens)
    message = f"{task.name} is of kind {task.kind}, but {model.architecture} {ONLY[model.family]}"
    raise ModelError(message, "take the task out of the suite, or measure another kind of model")


def score(
    model: Model, task: Task, *, batch_tokens: int = 0, progress: Progress | None = None
) -> TaskScores:
    """Score every item, in the order of the task; of its usage, count tokens. Raises ModelError."""
    found = scorer(model, task, batch_tokens=batch_tokens)
    items = found.take(len(task.items), progress)
    return TaskScores(task.name, items, found.level, found.gap, Usage(tokens=found.read))
