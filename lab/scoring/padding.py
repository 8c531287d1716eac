"""Batches of rows padded to one length, where padding leaves what the model says as it is.

Masks keep padding out of attention, but some models let it in all the same (by convolutions,
blocks or state): a few rows, of the most different lengths, are read both ways first. Where the
two disagree, every row is read alone.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lab.errors import ModelError, model_errors
from lab.model.load import Model

if TYPE_CHECKING:
    import torch

PROOF = 8  # rows that are read both ways
COARSE = 5e-2  # nats, in half precision
CPU_TOKENS = 2_048
GPU_TOKENS = 16_384
LOGITS = 2**27  # numbers in one batch's logits

Read = Callable[[Sequence[int]], Sequence[Sequence[float]]]


def can_pad(model: Model, sizes: Sequence[int], read: Read, tolerance: float) -> bool:
    """Whether `read` says of rows, given by their numbers, together what it says of each alone."""
    order = sorted(range(len(sizes)), key=lambda n: sizes[n])
    last, count = len(order) - 1, min(PROOF, len(order))
    chosen = [order[n * last // max(1, count - 1)] for n in range(count)]
    limit = tolerance if model.dtype in ("float32", "float64") else COARSE
    alone = [read([row])[0] for row in chosen]
    try:
        with model_errors("the model reads one row at a time", "give it a padding token"):
            together = read(chosen)
    except ModelError:
        return False
    pairs = zip(itertools.chain(*together), itertools.chain(*alone), strict=True)
    return all(abs(left - right) <= limit for left, right in pairs)


def batches(
    model: Model, sizes: Sequence[int], batch_tokens: int, *, padded: bool
) -> Iterator[list[int]]:
    """Put rows of like size together, the longest first: what is too large fails at once."""
    usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
    budget = min(batch_tokens or usual, LOGITS // model.vocabulary)
    order = sorted(range(len(sizes)), key=lambda n: -sizes[n])
    start = 0
    while start < len(order):
        count = max(1, budget // max(1, sizes[order[start]])) if padded else 1
        yield order[start : start + count]
        start += count


def stack(rows: Sequence[array[int]], fill: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rows, filled up on the right to the longest, and the mask of what is theirs."""
    import torch

    length = max(map(len, rows))
    ids = torch.full((len(rows), length), fill, dtype=torch.long)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.frombuffer(row, dtype=torch.long)
        mask[number, : len(row)] = 1
    return ids.to(device), mask.to(device)
