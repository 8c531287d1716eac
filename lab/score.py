"""Scores of a task: the log-likelihood a model gives to texts and to answers.

A text begins after the tokenizer's own opening, else after BOS or EOS; where it has none, its
first token is read and not scored. Texts longer than the model reads (or 2,048 tokens) are cut
so that each token is scored once. A choice follows its context; the right one counts as
`correct` if its summed log-likelihood is above that of every other (a tie is not).

Rows are scored in batches of like length, padded on the right, where causal attention cannot
see the padding; so neither batch size nor order moves a score beyond rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.errors import ModelError, model_errors
from lab.load import Model
from lab.protocol import ItemScore, Task, TaskScores
from lab.rows import Row, rows_of

if TYPE_CHECKING:
    import torch

Progress = Callable[[int, int], None]

CPU_TOKENS = 2_048
GPU_TOKENS = 16_384
_LOGITS = 2**27  # numbers in one batch's logits
_TAIL = 2**22  # numbers that the fp32 tail works on at once
_SKIP = -100


def score(
    model: Model, task: Task, *, batch_tokens: int = 0, progress: Progress | None = None
) -> TaskScores:
    """Score every item, in the order of the task. Raises ModelError."""
    laid = rows_of(task, model.tokens, model.window)
    with model_errors("the model fails while scoring", "check that it runs in transformers"):
        sums = _score_rows(model, laid.rows, batch_tokens, progress)
    totals = [[0.0] * len(item.choices) for item in task.items]
    counts = [0] * len(task.items)
    for row, nll in zip(laid.rows, sums, strict=True):
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
                correct=None if item.is_text else nll < min(others),
                cluster=item.cluster,
                lossless=laid.lossless[number],
            )
        )
    return TaskScores(task.name, tuple(scores))


def _score_rows(
    model: Model, rows: tuple[Row, ...], batch_tokens: int, progress: Progress | None
) -> list[float]:
    """Return the negative log-likelihood of each row's scored tokens."""
    import torch

    usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
    budget = min(batch_tokens or usual, _LOGITS // model.vocabulary)
    # The longest first: what does not fit into memory fails at once.
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].ids), rows[i].scored))
    sums = [0.0] * len(rows)
    start = 0
    with torch.inference_mode():
        while start < len(order):
            size = max(1, budget // (len(rows[order[start]].ids) - 1))
            batch = order[start : start + size]
            for index, nll in zip(batch, _forward(model, [rows[i] for i in batch]), strict=True):
                sums[index] = nll
            start += len(batch)
            if progress:
                progress(start, len(order))
    return sums


def _forward(model: Model, batch: list[Row]) -> list[float]:
    import torch

    length = max(len(row.ids) for row in batch) - 1
    tokens = torch.zeros((len(batch), length), dtype=torch.long)
    targets = torch.full((len(batch), length), _SKIP, dtype=torch.long)
    first = length
    for number, row in enumerate(batch):
        ids, last = torch.frombuffer(row.ids, dtype=torch.long), len(row.ids) - 1
        tokens[number, :last] = ids[:-1]
        targets[number, last - row.scored : last] = ids[-row.scored :]
        first = min(first, last - row.scored)
    logits = _logits(model, tokens.to(model.device), first)
    return _sums(logits, targets[:, first:].to(model.device))


def _logits(model: Model, tokens: torch.Tensor, first: int) -> Any:
    """Return the logits from position `first` on; the head runs only there if it can."""
    import torch

    keep: dict[str, Any] = {}
    if first and model.trims:
        keep = {"logits_to_keep": torch.arange(first, tokens.shape[1], device=tokens.device)}
    logits = model.module(input_ids=tokens, use_cache=False, **keep).logits
    return logits if keep else logits[:, first:]


def _sums(logits: torch.Tensor, targets: torch.Tensor) -> list[float]:
    """Sum the cross-entropy of each row, in fp32, a slice of positions at a time."""
    import torch
    from torch.nn.functional import cross_entropy

    flat, wanted = logits.flatten(0, 1), targets.flatten()
    step = max(1, _TAIL // flat.shape[-1])
    parts = [
        cross_entropy(part.float(), right, reduction="none", ignore_index=_SKIP)
        for part, right in zip(torch.split(flat, step), torch.split(wanted, step), strict=True)
    ]
    sums = torch.cat(parts).view(targets.shape).double().sum(1).clamp(min=0.0)
    return [float(n) for n in sums.tolist()]
