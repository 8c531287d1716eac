"""Scores of an encoder-decoder: the log-likelihood its decoder gives to answers.

As in lm-evaluation-harness, the encoder reads the context with the tokenizer's special tokens,
the decoder the answer without any, after its start token; space at the end of a context belongs
to the answer. A context is encoded once for all its choices.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lab.errors import ModelError, model_errors
from lab.model.load import Model
from lab.protocol import Item, ItemScore, Kind, Task
from lab.scoring.padding import batches, can_pad, stack
from lab.scoring.plain import Progress
from lab.scoring.rows import ROW_LIMIT, Row, RowScore
from lab.scoring.tail import row_scores

KINDS = (Kind.CHOICES, Kind.TARGET)
TOLERANCE = 1e-3  # nats that batching may move an answer


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the encoder reads of an item, and the decoder for each choice."""

    context: array[int]
    choices: tuple[Row, ...]
    lossless: bool

    @property
    def size(self) -> int:
        return max(len(self.context), sum(len(row.ids) for row in self.choices))


class PairScorer:
    """Scores a task of choices or targets."""

    level: Literal["plain"] = "plain"
    gap: None = None

    def __init__(self, model: Model, task: Task, batch_tokens: int = 0) -> None:
        self._model, self._task, self._batch_tokens = model, task, batch_tokens
        self._start = _start(model)
        self._pairs = _pairs(model, task)
        self._padded: bool | None = None
        self._done = 0
        self.read = 0

    def take(self, count: int, progress: Progress | None = None) -> tuple[ItemScore, ...]:
        """Score the next items. Raises ModelError."""
        items = self._task.items[self._done : self._done + count]
        pairs = self._pairs[self._done : self._done + len(items)]
        found: dict[int, list[RowScore]] = {}
        with model_errors("the model fails while scoring", "check that it runs in transformers"):
            padded = self._can_pad()
            sizes = [pair.size for pair in pairs]
            for batch in batches(self._model, sizes, self._batch_tokens, padded=padded):
                found.update(zip(batch, self._scores([pairs[n] for n in batch]), strict=True))
                if progress:
                    progress(len(found), len(items))
        self._done += len(items)
        return tuple(self._item(item, pairs[n], found[n]) for n, item in enumerate(items))

    def _can_pad(self) -> bool:
        """Whether items may be batched: asked once, of items of the whole task."""
        if self._padded is None:
            self._padded = can_pad(
                self._model,
                [len(pair.context) for pair in self._pairs],
                lambda numbers: [
                    [score.nats for score in scores]
                    for scores in self._scores([self._pairs[n] for n in numbers])
                ],
                TOLERANCE,
            )
        return self._padded

    def _scores(self, pairs: Sequence[_Pair]) -> list[list[RowScore]]:
        import torch

        model = self._model
        padding = model.module.config.pad_token_id or 0
        rows = [row for pair in pairs for row in pair.choices]
        ids, mask = stack([pair.context for pair in pairs], padding, model.device)
        start = array("q", (self._start,))
        answers, _ = stack([start + row.ids[:-1] for row in rows], padding, model.device)
        owners = torch.tensor([n for n, pair in enumerate(pairs) for _ in pair.choices])
        owners = owners.to(model.device)
        width = answers.shape[1]
        with torch.inference_mode():
            states = model.module.get_encoder()(input_ids=ids, attention_mask=mask)
            logits = self._decode(states.last_hidden_state[owners], mask[owners], answers)
            lines = [
                array("q", range(n * width, n * width + len(row.ids))) for n, row in enumerate(rows)
            ]
            scores = iter(row_scores(logits.flatten(0, 1), lines, rows))
        self.read += int(mask.sum()) + sum(len(row.ids) for row in rows)
        return [[next(scores) for _ in pair.choices] for pair in pairs]

    def _decode(self, states: Any, mask: Any, answers: Any) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        return self._model.module(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=mask,
            decoder_input_ids=answers,
            use_cache=False,
        ).logits

    def _item(self, item: Item, pair: _Pair, scores: Sequence[RowScore]) -> ItemScore:
        nats = [score.nats for score in scores]
        if not all(map(math.isfinite, nats)):
            message = f"{self._task.name}: item {item.id!r:.80} has a score that is no number"
            raise ModelError(message, "check the model's weights and dtype")
        choices = self._task.kind is Kind.CHOICES
        others = nats[: item.answer] + nats[item.answer + 1 :]
        right = scores[item.answer]
        return ItemScore(
            id=item.id,
            nll=right.nats,
            tokens=pair.choices[item.answer].scored,
            bytes=max(1, len(item.choices[item.answer].encode())),
            correct=right.nats < min(others) if choices else right.greedy,
            cluster=item.cluster,
            lossless=pair.lossless,
            nats=tuple(nats) if choices else (),
        )


def _start(model: Model) -> int:
    """Return the token on which the decoder's first one is conditioned."""
    found = getattr(model.module.config, "decoder_start_token_id", None)
    if type(found) is not int or not 0 <= found < model.vocabulary:
        message = "config.json has no decoder_start_token_id: what does the decoder begin with?"
        raise ModelError(message, "write the id of the decoder's first token into config.json")
    return found


def _pairs(model: Model, task: Task) -> list[_Pair]:
    tokens, items = model.tokens, task.items
    bare = [item.context.rstrip() for item in items]
    with model_errors("the tokenizer fails", "check that it loads in transformers"):
        read = tokens.tokenizer.encode_batch_fast(bare, add_special_tokens=True)
        contexts = [array("q", encoding.ids) for encoding in read]
    answers = tokens.encode([i.context[len(b) :] + c for i, b in zip(items, bare, strict=True)
                             for c in i.choices])  # fmt: skip
    found = []
    for item, context in zip(items, contexts, strict=True):
        ids = context
        if not item.context and tokens.lead is not None:
            ids = array("q", (tokens.lead,))
        rows, lossless = [], True
        for number in range(len(item.choices)):
            answer = next(answers)
            rows.append(Row(0, number, answer.ids, len(answer.ids)))
            if number == item.answer:
                lossless = answer.lossless
        _check(model, task, item, ids, rows)
        found.append(_Pair(ids, tuple(rows), lossless))
    return found


def _check(model: Model, task: Task, item: Item, context: array[int], rows: Sequence[Row]) -> None:
    window = min(model.window, ROW_LIMIT)
    longest = max(len(context), *(row.scored for row in rows))
    reason = ""
    if not context:
        reason = "has no context for the encoder"
    elif not all(row.scored for row in rows):
        reason = "has a choice without a token to score"
    elif longest > window:
        reason = f"has {longest:,} tokens, the model reads {window:,}"
    if reason:
        message = f"{task.name}: item {item.id!r:.80} {reason}"
        raise ModelError(message, "take the item out of the suite, or score it with another model")
