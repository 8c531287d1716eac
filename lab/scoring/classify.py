"""Scores of a sequence classifier: the log-likelihood of each label that a suite names.

A text is read whole, with the special tokens of its tokenizer. `correct` is whether the right
label is the likeliest of all that the model knows, not only of those the suite names.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from lab.errors import ModelError, model_errors
from lab.model.load import Model
from lab.protocol import Item, ItemScore, Kind, Task
from lab.scoring.padding import batches, can_pad, stack
from lab.scoring.plain import Progress
from lab.scoring.rows import ROW_LIMIT

if TYPE_CHECKING:
    import torch

KINDS = (Kind.LABEL,)
TOLERANCE = 1e-4  # nats that batching may move a label
_SHOWN = 20  # labels that an error lists


class LabelScorer:
    """Scores a task of labels."""

    level: Literal["plain"] = "plain"
    gap: None = None

    def __init__(self, model: Model, task: Task, batch_tokens: int = 0) -> None:
        self._model, self._task, self._batch_tokens = model, task, batch_tokens
        self._labels = labels_of(model)
        names = dict.fromkeys(item.choices for item in task.items)
        self._columns = {choices: columns(choices, self._labels) for choices in names}
        self._rows = _rows(model, task)
        self._padded: bool | None = None
        self._done = 0
        self.read = 0

    def take(self, count: int, progress: Progress | None = None) -> tuple[ItemScore, ...]:
        """Score the next items. Raises ModelError."""
        items = self._task.items[self._done : self._done + count]
        rows = self._rows[self._done : self._done + len(items)]
        found: dict[int, list[float]] = {}
        with model_errors("the model fails while scoring", "check that it runs in transformers"):
            padded = self._can_pad()
            sizes = [len(row) for row in rows]
            for batch in batches(self._model, sizes, self._batch_tokens, padded=padded):
                found.update(zip(batch, self._nats([rows[n] for n in batch]), strict=True))
                if progress:
                    progress(len(found), len(items))
        self._done += len(items)
        self.read += sum(sizes)
        return tuple(self._item(item, rows[n], found[n]) for n, item in enumerate(items))

    def _can_pad(self) -> bool:
        """Whether rows may be batched: asked once, of rows of the whole task."""
        if self._padded is None:
            # Some look for the row's end marks, and want as many of them in every row.
            end = self._model.module.config.eos_token_id
            alike = len({row.count(end) for row in self._rows if type(end) is int}) <= 1
            self._padded = (
                _padding(self._model) is not None
                and alike
                and can_pad(
                    self._model,
                    [len(row) for row in self._rows],
                    lambda numbers: self._nats([self._rows[n] for n in numbers]),
                    TOLERANCE,
                )
            )
        return self._padded

    def _nats(self, rows: Sequence[array[int]]) -> list[list[float]]:
        """Return the negative log-likelihood of every label for each row."""
        import torch

        ids, mask = stack(rows, _padding(self._model) or 0, self._model.device)
        with torch.inference_mode():
            logits: torch.Tensor = self._model.module(input_ids=ids, attention_mask=mask).logits
            found: list[list[float]] = (-logits.double().log_softmax(-1)).tolist()
        return found

    def _item(self, item: Item, row: array[int], nats: Sequence[float]) -> ItemScore:
        if not all(map(math.isfinite, nats)):
            message = f"{self._task.name}: item {item.id!r:.80} has a score that is no number"
            raise ModelError(message, "check the model's weights and dtype")
        of = self._columns[item.choices]
        best = min(range(len(nats)), key=lambda n: nats[n])
        return ItemScore(
            id=item.id,
            nll=nats[of[item.answer]],
            tokens=len(row),
            bytes=1,
            correct=best == of[item.answer],
            cluster=item.cluster,
            nats=tuple(nats[n] for n in of),
            output=self._labels[best],
        )


def labels_of(model: Model) -> tuple[str, ...]:
    """Return the model's labels. Raises ModelError where it does not choose one of several."""
    config = model.module.config
    if config.problem_type not in (None, "single_label_classification"):
        message = f"config.json: problem_type is {config.problem_type!r:.60}, not single-label"
        raise ModelError(message, "measure a classifier that chooses one of its labels")
    if model.vocabulary < 2:
        message = "the model gives one number, a regression, not labels"
        raise ModelError(message, "measure a classifier that chooses one of its labels")
    names: Mapping[int, str] = config.id2label
    if sorted(names) != list(range(model.vocabulary)):
        message = f"config.json: id2label does not number the labels 0 to {model.vocabulary - 1}"
        raise ModelError(message, "write one name for each label into id2label of config.json")
    return tuple(str(names[n]) for n in range(model.vocabulary))


def columns(choices: Sequence[str], labels: Sequence[str]) -> tuple[int, ...]:
    """Return which label of the model each choice is: by name, else by name in any case."""
    found = []
    for choice in choices:
        places = [n for n, label in enumerate(labels) if label == choice]
        if not places:
            places = [n for n, label in enumerate(labels) if label.lower() == choice.lower()]
        if len(places) != 1:
            shown = ", ".join(f"{label!r:.40}" for label in labels[:_SHOWN])
            more = f" and {len(labels) - _SHOWN:,} more" if len(labels) > _SHOWN else ""
            word = "several labels" if places else "no label"
            message = f"the model has {word} {choice!r:.60}; it has {shown[:200]}{more}"
            raise ModelError(message, "name the labels alike in the suite and in id2label")
        found += places
    if len(set(found)) < len(found):
        message = "two labels of the suite are one label of the model"
        raise ModelError(message, "name the labels alike in the suite and in id2label")
    return tuple(found)


def _rows(model: Model, task: Task) -> list[array[int]]:
    texts = [item.context for item in task.items]
    with model_errors("the tokenizer fails", "check that it loads in transformers"):
        found = model.tokens.tokenizer.encode_batch_fast(texts, add_special_tokens=True)
        rows = [array("q", encoding.ids) for encoding in found]
    window = min(model.window, ROW_LIMIT)
    for item, row in zip(task.items, rows, strict=True):
        reason = ""
        if not row:
            reason = "has no token"
        elif len(row) > window:
            reason = f"has {len(row):,} tokens, the model reads {window:,}"
        if reason:
            message = f"{task.name}: item {item.id!r:.80} {reason}"
            hint = "take the item out of the suite, or score it with another model"
            raise ModelError(message, hint)
    return rows


def _padding(model: Model) -> int | None:
    """Return the id of padding, None where the model has none: it then reads one row at a time."""
    found = model.module.config.get_text_config().pad_token_id
    return found if type(found) is int and found >= 0 else None
