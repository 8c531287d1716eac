"""Scores of a task: the log-likelihood a model gives to texts and to answers.

A text begins after the tokenizer's own opening, else after BOS or EOS; where it has none, its
first token is read and not scored. Texts longer than the model reads (or 2,048 tokens) are cut
so that each token is scored once. A choice follows its context; the right one counts as
`correct` if its summed log-likelihood is above that of every other (a tie is not).

Neither batch size, order nor the way the scores are computed (lab/level.py) moves them beyond
rounding.
"""

from __future__ import annotations

import math

from lab.errors import ModelError, model_errors
from lab.level import score_rows
from lab.load import Model
from lab.plain import Progress
from lab.protocol import ItemScore, Kind, Task, TaskScores
from lab.rows import rows_of


def score(
    model: Model, task: Task, *, batch_tokens: int = 0, progress: Progress | None = None
) -> TaskScores:
    """Score every item, in the order of the task. Raises ModelError."""
    laid = rows_of(task, model.tokens, model.window)
    with model_errors("the model fails while scoring", "check that it runs in transformers"):
        found = score_rows(model, laid.rows, batch_tokens, progress)
    totals = [[0.0] * len(item.choices) for item in task.items]
    counts = [0] * len(task.items)
    for row, nll in zip(laid.rows, found.nats, strict=True):
        totals[row.item][row.choice] += nll
        if row.choice == task.items[row.item].answer:
            counts[row.item] += row.scored
    scores = []
    for number, item in enumerate(task.items):
        nll = totals[number][item.answer]
        others = [n for c, n in enumerate(totals[number]) if c != item.answer]
        if not all(math.isfinite(n) for n in totals[number]):
            message = f"{task.name}: item {item.id!r:.80} has a score that is no number"
            raise ModelError(message, "check the model's weights and dtype")
        scores.append(
            ItemScore(
                id=item.id,
                nll=nll,
                tokens=counts[number],
                bytes=laid.bytes[number],
                correct=None if task.kind is Kind.TEXT else nll < min(others),
                cluster=item.cluster,
                lossless=laid.lossless[number],
                nats=() if task.kind is Kind.TEXT else tuple(totals[number]),
            )
        )
    return TaskScores(task.name, tuple(scores), found.level, found.gap)
