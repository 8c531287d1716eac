"""Which way rows are scored: the fast one where it proves itself on this very model, else plain.

Before the rest is scored, at least 16 rows, the longest among them, are scored both ways. They
must agree within a tolerance; one row beyond it, an exception or a NaN, and the plain way
scores everything. In half precision even batch size moves a score by more than that, and two
models must not differ by how they were read: such models are always scored the plain way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lab.errors import ModelError, model_errors
from lab.load import Model
from lab.plain import LOGITS, Progress, score_plain
from lab.prefix import Prefix, can_branch
from lab.rows import Row
from lab.tree import Family, families, header_of, packs, plant

PROOF = 16  # rows that are scored both ways
TOLERANCE = 1e-3  # nats a row, in fp32
PRECISE = ("float32", "float64")  # dtypes in which the order of sums does not matter here
CPU_TOKENS = 512
GPU_TOKENS = 2_048
_MASK = 2**25  # numbers in one tree's mask


@dataclass(frozen=True, slots=True)
class Sums:
    """The negative log-likelihood of each row, how it was computed, and the proof's gap."""

    nats: tuple[float, ...]
    level: Literal["plain", "prefix"]
    gap: float | None


def score_rows(
    model: Model, rows: Sequence[Row], batch_tokens: int, progress: Progress | None
) -> Sums:
    """Score the rows of one task. Raises what the model raises when it reads them plainly."""
    gap = None
    if model.dtype in PRECISE and any(row.choice for row in rows) and can_branch(model):
        try:
            with model_errors("the fast way fails", "score the plain way"):
                nats, gap = _fast(model, rows, batch_tokens, progress)
            if nats:
                return Sums(nats, "prefix", gap)
        except ModelError:
            gap = None
    return Sums(tuple(score_plain(model, rows, batch_tokens, progress)), "plain", gap)


def _fast(
    model: Model, rows: Sequence[Row], batch_tokens: int, progress: Progress | None
) -> tuple[tuple[float, ...], float | None]:
    """Return the scores, none where the proof fails, and its gap, None where it is no number."""
    import torch

    usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
    limit = min(batch_tokens or usual, LOGITS // model.vocabulary)
    header = header_of(rows)
    found = families(rows, header)
    # A mask grows with the square of a tree: what is too large for it is read plainly.
    fit = [f for f in found if f.size * (header + f.size) <= _MASK]
    if not fit:
        return (), None
    proof = _spread(fit, rows)
    half = sum(f.size for f in proof) // 2
    nats: dict[int, float] = {}
    with torch.inference_mode():
        prefix = Prefix(model, rows[0].ids[:header])
        # Two trees or more: a cache that one of them spoils shows in the next.
        for pack in packs(proof, min(limit, half)):
            nats.update(zip(pack, prefix.score(rows, plant(rows, pack, header)), strict=True))
        gap = _gap(model, rows, nats, batch_tokens)
        if not gap <= TOLERANCE:
            return (), gap if math.isfinite(gap) else None
        for pack in packs((f for f in fit if f not in proof), limit):
            nats.update(zip(pack, prefix.score(rows, plant(rows, pack, header)), strict=True))
            if progress:
                progress(len(nats), len(rows))
    large = [n for n in range(len(rows)) if n not in nats]
    plain = score_plain(model, [rows[n] for n in large], batch_tokens, None)
    nats.update(zip(large, plain, strict=True))
    if progress:
        progress(len(rows), len(rows))
    return tuple(nats[n] for n in range(len(rows))), gap


def _spread(fit: Sequence[Family], rows: Sequence[Row]) -> list[Family]:
    """Choose families of at least 16 rows in all, evenly from the longest to the shortest."""
    ordered = sorted(fit, key=lambda f: (-max(len(rows[n].ids) for n in f.rows), f.rows))
    count = min(len(ordered), -(-PROOF // min(len(f.rows) for f in ordered)))
    last = len(ordered) - 1
    return [ordered[n * last // max(1, count - 1)] for n in range(count)]


def _gap(model: Model, rows: Sequence[Row], nats: dict[int, float], batch_tokens: int) -> float:
    """Return the largest difference to the plain way, NaN where any is no number."""
    plain = score_plain(model, [rows[n] for n in nats], batch_tokens, None)
    gaps = [abs(fast - slow) for fast, slow in zip(nats.values(), plain, strict=True)]
    return max(gaps) if all(map(math.isfinite, gaps)) else math.nan
