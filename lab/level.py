"""Which way rows are scored: the fast one where it proves itself on this very model, else plain.

The first rows, at least 16 and the longest among them, are scored both ways, and so is whatever
comes later and is longer. They must agree within a tolerance; one row beyond it, an exception
or a NaN, and the plain way scores all that follows. In half precision even batch size moves a
score by more than that, and two models must not differ by how they were read: such models are
always scored the plain way.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from typing import Literal

from lab.errors import ModelError, model_errors
from lab.load import Model
from lab.plain import LOGITS, Progress, alike, score_plain
from lab.prefix import Prefix, can_branch
from lab.rows import Row, RowScore
from lab.tree import Family, families, packs, plant

PROOF = 16  # rows that are scored both ways
TOLERANCE = 1e-3  # nats a row, in fp32
PRECISE = ("float32", "float64")  # dtypes in which the order of sums does not matter here
CPU_TOKENS = 512
GPU_TOKENS = 2_048
_MASK = 2**25  # numbers in one tree's mask


class Reader:
    """Reads rows of one task, stage by stage: what they share stays read, what is proven proven.

    `level` and `gap` say how (lab/protocol.py), `read` how many tokens the model has read.
    """

    def __init__(self, model: Model, batch_tokens: int = 0, *, branch: bool = True) -> None:
        self._model, self._batch_tokens = model, batch_tokens
        self._branches = branch and model.dtype in PRECISE and can_branch(model)
        usual = CPU_TOKENS if model.device == "cpu" else GPU_TOKENS
        self._limit = min(batch_tokens or usual, LOGITS // model.vocabulary)
        self._prefix: Prefix | None = None
        self._proven = 0  # rows
        self._longest = 0  # tokens, of those rows
        self.level: Literal["plain", "prefix"] = "plain"
        self.gap: float | None = None
        self.read = 0

    def score(self, rows: Sequence[Row], progress: Progress | None = None) -> list[RowScore]:
        """Score rows, in their order. Raises what the model raises when it reads plainly."""
        if self._branches:
            try:
                with model_errors("the fast way fails", "score the plain way"):
                    found = self._fast(rows, progress)
            except ModelError:
                found, self.gap = None, None
            if found is not None:
                return found
            self._branches, self.level, self._prefix = False, "plain", None
        return self._plain(rows, progress)

    def _plain(self, rows: Sequence[Row], progress: Progress | None = None) -> list[RowScore]:
        self.read += sum(len(rows[same[0]].ids) - 1 for same in alike(rows))
        return score_plain(self._model, rows, self._batch_tokens, progress)

    def _fast(self, rows: Sequence[Row], progress: Progress | None) -> list[RowScore] | None:
        """Return the scores, None where the proof fails."""
        import torch

        found = families(rows)
        # A mask grows with the square of a tree: what is too large for it is read plainly.
        fit = [f for f in found if f.size * (len(f.header) + f.size) <= _MASK]
        proof = self._proof(fit, rows)
        scores: dict[int, RowScore] = {}
        with torch.inference_mode():
            if proof and not self._proves(proof, rows, scores):
                return None
            for pack in packs((f for f in fit if f.rows[0] not in scores), self._limit):
                scores.update(self._branch(pack, rows))
                if progress:
                    progress(len(scores), len(rows))
        large = [n for n in range(len(rows)) if n not in scores]
        if large:
            scores.update(zip(large, self._plain([rows[n] for n in large]), strict=True))
        if progress:
            progress(len(rows), len(rows))
        return [scores[n] for n in range(len(rows))]

    def _proof(self, fit: Sequence[Family], rows: Sequence[Row]) -> list[Family]:
        """Choose what to score both ways: families evenly from the longest to the shortest."""

        def length(family: Family) -> int:
            return max(len(rows[n].ids) for n in family.rows)

        if not fit:
            return []
        ordered = sorted(fit, key=lambda f: (-length(f), f.rows))
        least = PROOF - self._proven
        if least <= 0:
            return ordered[:1] if length(ordered[0]) > self._longest else []
        count = min(len(ordered), -(-least // min(len(f.rows) for f in ordered)))
        last = len(ordered) - 1
        return [ordered[n * last // max(1, count - 1)] for n in range(count)]

    def _proves(
        self, proof: list[Family], rows: Sequence[Row], scores: dict[int, RowScore]
    ) -> bool:
        """Score families both ways, keep the scores, and say whether they agree."""
        half = sum(family.size for family in proof) // 2
        # Two trees or more: a cache that one of them spoils shows in the next.
        for pack in packs(proof, min(self._limit, half)):
            scores.update(self._branch(pack, rows))
        plain = self._plain([rows[n] for n in scores])
        gaps = [abs(a.nats - b.nats) for a, b in zip(scores.values(), plain, strict=True)]
        if not all(map(math.isfinite, gaps)):
            self.gap = None
            return False
        self.gap = max(self.gap or 0.0, *gaps)
        self._proven += len(gaps)
        self._longest = max(self._longest, *(len(rows[n].ids) for n in scores))
        self.level = "prefix"
        return self.gap <= TOLERANCE

    def _branch(
        self, pack: tuple[Family, ...], rows: Sequence[Row]
    ) -> Iterable[tuple[int, RowScore]]:
        header = pack[0].header
        tree = plant(rows, (n for f in pack for n in f.rows), len(header))
        self.read += len(tree.ids)
        return zip(tree.rows, self._after(header).score(rows, tree), strict=True)

    def _after(self, header: array[int]) -> Prefix:
        """Return the model as it is after reading the header."""
        if self._prefix is None or self._prefix.header != header:
            self._prefix = Prefix(self._model, header)
            self.read += len(header)
        return self._prefix
