"""Scores of what a model writes, compared with references, after the task's filters.

The log-likelihood is that of the first reference, as of any target: it sees a change long
before another word is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from lab.errors import model_errors
from lab.items import filters
from lab.model.load import Model
from lab.model.tokens import Tokens
from lab.protocol import Item, ItemScore, Kind, Task
from lab.scoring.plain import Progress
from lab.scoring.rows import ROW_LIMIT
from lab.scoring.writer import Writer
from lab.wire import longest

if TYPE_CHECKING:
    from lab.scoring.score import Scorer

_SLACK = 8  # tokens by which a text that is cut may grow


class GenerationScorer:
    """Scores a task of texts to write; `target` scores the first references."""

    def __init__(self, model: Model, task: Task, target: Scorer, batch_tokens: int = 0) -> None:
        filters.check(task.generation.filters)
        self._task, self._target = task, target
        self._writer = Writer(model, task, batch_tokens)
        self._done = 0

    @property
    def level(self) -> Literal["plain", "prefix"]:
        """How the references were scored."""
        return self._target.level

    @property
    def gap(self) -> float | None:
        """The largest difference seen between the two ways of scoring them."""
        return self._target.gap

    @property
    def read(self) -> int:
        """How many tokens the model has read, those that it wrote among them."""
        return self._target.read + self._writer.read

    def take(self, count: int, progress: Progress | None = None) -> tuple[ItemScore, ...]:
        """Score the next items. Raises ModelError."""
        items = self._task.items[self._done : self._done + count]
        likely = self._target.take(count)
        with model_errors("the model fails while writing", "check that it runs in transformers"):
            texts = self._writer.write(items, progress)
        self._done += len(items)
        return tuple(map(self._item, items, likely, texts))

    def _item(self, item: Item, likely: ItemScore, text: str) -> ItemScore:
        limit = longest(self._task.generation)
        output = text[:limit]
        final = filters.apply(self._task.generation.filters, output, item)[:limit]
        return replace(likely, correct=final in item.choices, output=output, final=final)


def target(model: Model, task: Task) -> Task:
    """Return the task of predicting the first references, with contexts that fit."""
    wanted = [task.delimiter + item.choices[0] for item in task.items]
    pairs = zip(task.items, wanted, _room(model, wanted), strict=True)
    items = (
        replace(item, context=_fitting(model.tokens, item.context, room), choices=(text,), answer=0)
        for item, text, room in pairs
    )
    return replace(task, items=tuple(items), kind=Kind.TARGET)


def _room(model: Model, texts: Sequence[str]) -> Iterator[int]:
    """Yield how many tokens of context there is room for with each text."""
    window = min(model.window, ROW_LIMIT) - len(model.tokens.opening) - _SLACK
    for encoded in model.tokens.encode(texts):
        beside = 0 if model.family == "seq2seq" else len(encoded.ids)
        yield max(1, window - beside)


def _fitting(tokens: Tokens, context: str, room: int) -> str:
    """Return the context, cut on the left to so many tokens."""
    if len(context.encode()) <= room:  # hardly a token is of less than a byte
        return context
    found = tokens.tokenizer.encode(context, add_special_tokens=False)
    if len(found.ids) <= room:
        return context
    return context[found.offsets[-room][0] :]
