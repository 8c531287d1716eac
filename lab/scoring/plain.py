"""The plain way to score rows: in batches of like length, each row read from its start.

Rows that are read alike (they differ in their last token, which is only scored) are read once.
Padding is on the right, where causal attention cannot see it; so neither batch size nor order
moves a score beyond rounding.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lab.model.load import Model
from lab.scoring.rows import Row, RowScore, alike
from lab.scoring.tail import row_scores, tensor

if TYPE_CHECKING:
    import torch

Progress = Callable[[int, int], None]

LOGITS = 2**27  # numbers in one batch's logits
CPU_TOKENS = 1_024  # more at once, and memory for the logits is fetched anew for every batch
GPU_TOKENS = 16_384


def score_plain(
    model: Model, rows: Sequence[Row], batch_tokens: int, progress: Progress | None
) -> list[RowScore]:
    """Score the rows, in their order."""
    import torch

    usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
    budget = min(batch_tokens or usual, LOGITS // model.vocabulary)
    inputs = alike(rows)
    found: dict[int, RowScore] = {}
    start = 0
    with torch.inference_mode():
        while start < len(inputs):
            size = max(1, budget // (len(rows[inputs[start][0]].ids) - 1))
            batch = inputs[start : start + size]
            numbers = [number for same in batch for number in same]
            scores = _forward(model, [[rows[n] for n in same] for same in batch])
            found.update(zip(numbers, scores, strict=True))
            start += len(batch)
            if progress:
                progress(len(found), len(rows))
    return [found[number] for number in range(len(rows))]


def _forward(model: Model, batch: list[list[Row]]) -> list[RowScore]:
    import torch

    length = max(len(same[0].ids) for same in batch) - 1
    tokens = torch.zeros((len(batch), length), dtype=torch.long)
    for number, same in enumerate(batch):
        tokens[number, : len(same[0].ids) - 1] = tensor(same[0].ids[:-1], "cpu")
    first = min(len(row.ids) - 1 - row.scored for same in batch for row in same)
    logits = _logits(model, tokens.to(model.device), first)
    lines = []
    for number, same in enumerate(batch):
        # Where the token that predicts the row's last one stands in the flat table.
        last = number * (length - first) + len(same[0].ids) - 2 - first
        lines += [array("q", range(last + 1 - row.scored, last + 1)) for row in same]
    return row_scores(logits.flatten(0, 1), lines, [row for same in batch for row in same])


def _logits(model: Model, tokens: torch.Tensor, first: int) -> Any:
    """Return the logits from position `first` on; the head runs only there if it can."""
    import torch

    keep: dict[str, Any] = {}
    if first and model.trims:
        keep = {"logits_to_keep": torch.arange(first, tokens.shape[1], device=tokens.device)}
    logits = model.module(input_ids=tokens, use_cache=False, **keep).logits
    return logits if keep else logits[:, first:]
