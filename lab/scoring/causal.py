"""Scores of a causal language model: the log-likelihood it gives to texts and to answers.

A text begins after the tokenizer's own opening, else after BOS or EOS; where it has none, its
first token is read and not scored. Texts longer than the model reads (or 2,048 tokens) are cut
so that each token is scored once. A choice or a target follows its context. The right choice
counts as `correct` if its summed log-likelihood is above that of every other (a tie is not); a
target if each of its tokens is the likeliest after all before it.

Neither batch size, order, stages nor the way the scores are computed (lab/scoring/level.py)
moves them beyond rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from lab.errors import ModelError, model_errors
from lab.model.load import Model
from lab.protocol import Item, ItemScore, Kind, Task
from lab.scoring.level import Reader
from lab.scoring.plain import Progress
from lab.scoring.rows import Layout, Row, RowScore

KINDS = (Kind.TEXT, Kind.CHOICES, Kind.TARGET)


class CausalScorer:
    """Scores a task of texts, choices or targets."""

    def __init__(self, model: Model, task: Task, batch_tokens: int = 0) -> None:
        self._task = task
        self._layout = Layout(task, model.tokens, model.window)
        # Texts share nothing, and long rows fill the machine by themselves.
        self._reader = Reader(model, batch_tokens, branch=task.kind is not Kind.TEXT)
        self._done = 0

    @property
    def level(self) -> Literal["plain", "prefix"]:
        """How the scores were computed."""
        return self._reader.level

    @property
    def gap(self) -> float | None:
        """The largest difference seen between the two ways of computing them."""
        return self._reader.gap

    @property
    def read(self) -> int:
        """How many tokens the model has read."""
        return self._reader.read

    def take(self, count: int, progress: Progress | None = None) -> tuple[ItemScore, ...]:
        """Score the next items. Raises ModelError."""
        items = self._task.items[self._done : self._done + count]
        laid = self._layout.rows(self._done, count)
        with model_errors("the model fails while scoring", "check that it runs in transformers"):
            found = self._reader.score(laid.rows, progress)
        of: list[list[tuple[Row, RowScore]]] = [[] for _ in items]
        for row, score in zip(laid.rows, found, strict=True):
            of[row.item].append((row, score))
        self._done += len(items)
        return tuple(
            self._item(item, read, size, lossless)
            for item, read, size, lossless in zip(items, of, laid.bytes, laid.lossless, strict=True)
        )

    def _item(
        self, item: Item, read: Sequence[tuple[Row, RowScore]], size: int, lossless: bool
    ) -> ItemScore:
        totals = [0.0] * len(item.choices)
        for row, score in read:
            totals[row.choice] += score.nats
        if not all(map(math.isfinite, totals)):
            message = f"{self._task.name}: item {item.id!r:.80} has a score that is no number"
            raise ModelError(message, "check the model's weights and dtype")
        correct = None
        if self._task.kind is Kind.CHOICES:
            others = totals[: item.answer] + totals[item.answer + 1 :]
            correct = totals[item.answer] < min(others)
        elif self._task.kind is Kind.TARGET:
            correct = all(score.greedy for _, score in read)
        return ItemScore(
            id=item.id,
            nll=totals[item.answer],
            tokens=sum(row.scored for row, _ in read if row.choice == item.answer),
            bytes=size,
            correct=correct,
            cluster=item.cluster,
            lossless=lossless,
            nats=tuple(totals) if self._task.kind is Kind.CHOICES else (),
        )
