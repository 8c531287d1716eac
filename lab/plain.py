"""The plain way to score rows: in batches of like length, each row read from its start.

Rows are padded on the right, where causal attention cannot see the padding; so neither batch
size nor order moves a score beyond rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lab.load import Model
from lab.rows import Row

if TYPE_CHECKING:
    import torch

Progress = Callable[[int, int], None]

LOGITS = 2**27  # numbers in one batch's logits
CPU_TOKENS = 2_048
GPU_TOKENS = 16_384
_TAIL = 2**22  # numbers that the fp32 tail works on at once
_SKIP = -100


def score_plain(
    model: Model, rows: Sequence[Row], batch_tokens: int, progress: Progress | None
) -> list[float]:
    """Return the negative log-likelihood of each row's scored tokens."""
    import torch

    usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
    budget = min(batch_tokens or usual, LOGITS // model.vocabulary)
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
