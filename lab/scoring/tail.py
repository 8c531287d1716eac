"""From logits to scores, in fp32 whatever the model computes in, a slice of lines at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lab.scoring.rows import Row, RowScore

if TYPE_CHECKING:
    import torch

_SLICE = 2**22  # numbers that are worked on at once


def row_scores(
    logits: torch.Tensor, lines: Iterable[array[int]], rows: Sequence[Row]
) -> list[RowScore]:
    """Score rows; `lines` say for each row which lines of the logits predict its scored tokens."""
    import torch

    device = str(logits.device)
    which = tensor(_joined(lines), device)
    targets = tensor(_joined(row.ids[-row.scored :] for row in rows), device)
    totals, highest = _totals(logits)
    found = logits[which, targets].float()
    greedy = found == highest[which]
    # Of several tokens that are equally likely, as in half precision many are, one is chosen.
    close = greedy.nonzero()[:, 0]
    greedy[close] = logits[which[close]].argmax(-1) == targets[close]
    owners = torch.repeat_interleave(torch.tensor([row.scored for row in rows]))
    sums = torch.zeros(len(rows), dtype=torch.double)
    sums.index_add_(0, owners, (totals[which] - found).double().cpu())
    missed = torch.zeros(len(rows), dtype=torch.long)
    missed.index_add_(0, owners, (~greedy).long().cpu())
    nats = sums.clamp(min=0.0).tolist()
    return [RowScore(n, not m) for n, m in zip(nats, missed.tolist(), strict=True)]


def _totals(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logarithm of each line's sum of exponentials, and its highest number."""
    import torch
    from torch.nn.functional import cross_entropy

    totals, highest = [], []
    for part in torch.split(logits, max(1, _SLICE // logits.shape[-1])):
        line = part.float()
        # Twice as fast as logsumexp on a CPU, and the same to rounding.
        first = torch.zeros(len(line), dtype=torch.long, device=line.device)
        totals.append(cross_entropy(line, first, reduction="none") + line[:, 0])
        highest.append(line.amax(-1))
    return torch.cat(totals), torch.cat(highest)


def tensor(ids: array[int], device: str) -> torch.Tensor:
    """Return the ids as a tensor that may share their memory."""
    import torch

    return torch.frombuffer(ids, dtype=torch.long).to(device)


def _joined(parts: Iterable[array[int]]) -> array[int]:
    whole = array("q")
    for part in parts:
        whole += part
    return whole
