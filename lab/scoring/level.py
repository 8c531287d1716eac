"""Which way rows are scored: the fast one where it proves itself on this very model, else plain.

Rows are scored both ways until enough is proven of the model (lab/scoring/proof.py), and so is
whatever comes later and is longer. They must agree within a tolerance; one row beyond it, an
exception or a NaN, and the plain way scores all that follows. In half precision even batch size
moves a score by more than that, and two models must not differ by how they were read: such
models are always scored the plain way.

The scores that are kept come from the same trees whether or not anything is proven with them.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Literal

from lab.errors import ModelError, model_errors
from lab.model.load import Model
from lab.scoring.plain import LOGITS, Progress, score_plain
from lab.scoring.prefix import Prefix, can_branch
from lab.scoring.proof import to_prove
from lab.scoring.rows import Row, RowScore, alike
from lab.scoring.tree import Family, deepened, families, packs, plant

TOLERANCE = 1e-3  # nats a row, in fp32
PRECISE = ("float32", "float64")  # dtypes in which the order of sums does not matter here
CPU_TOKENS = 512
GPU_TOKENS = 2_048
_MASK = 2**25  # numbers in one tree's mask

Scores = dict[int, RowScore]


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
        self.level: Literal["plain", "prefix"] = "plain"
        self.gap: float | None = None
        self.read = 0

    def score(self, rows: Sequence[Row], progress: Progress | None = None) -> list[RowScore]:
        """Score rows, in their order. Raises what the model raises when it reads plainly."""
        if not self._branches:
            return self._plain(rows, progress)
        proof, found = self._model.proof, None
        if not proof.broken:
            try:
                with model_errors("the fast way fails", "score the plain way"):
                    found = self._fast(rows, progress)
            except ModelError:
                proof.gap = None
        self.gap = proof.gap
        if found is not None:
            return found
        proof.broken = True
        self._branches, self.level, self._prefix = False, "plain", None
        return self._plain(rows, progress)

    def _plain(self, rows: Sequence[Row], progress: Progress | None = None) -> list[RowScore]:
        self.read += sum(len(rows[same[0]].ids) - 1 for same in alike(rows))
        return score_plain(self._model, rows, self._batch_tokens, progress)

    def _fast(self, rows: Sequence[Row], progress: Progress | None) -> list[RowScore] | None:
        """Return the scores, None where the proof fails."""
        import torch

        rows = deepened(rows, self._limit)
        # A mask grows with the square of a tree: what is too large for it is read plainly.
        fit = [f for f in families(rows) if f.size * (len(f.header) + f.size) <= _MASK]
        trees = list(packs(fit, self._limit))
        scores: Scores = {}
        with torch.inference_mode():
            plain = self._proof(trees, rows)
            for pack in trees if plain is not None else ():
                found = self._branch(pack, rows)
                if not self._agree(rows, found, plain or {}):
                    return None
                scores.update(found)
                self.level = "prefix"
                if progress:
                    progress(len(scores), len(rows))
        if plain is None:
            return None
        large = [n for n in range(len(rows)) if n not in scores]
        if large:
            scores.update(zip(large, self._plain([rows[n] for n in large]), strict=True))
        if progress:
            progress(len(rows), len(rows))
        return [scores[n] for n in range(len(rows))]

    def _proof(self, trees: Sequence[tuple[Family, ...]], rows: Sequence[Row]) -> Scores | None:
        """Score plainly what trees must agree with; None where shorter rows already do not."""
        proof, plain = self._model.proof, Scores()
        order = [n for pack in trees for family in pack for n in family.rows]
        for seen in (proof.headed, proof.alone):
            kind = [n for n in order if proof.of(rows[n]) is seen]
            whole, short = to_prove(seen, [rows[n] for n in kind])
            chosen = [kind[n] for n in whole]
            plain.update(zip(chosen, self._plain([rows[n] for n in chosen]), strict=True))
            if short and not self._proves(short):
                return None
        return plain

    def _proves(self, rows: Sequence[Row]) -> bool:
        """Score rows both ways and say whether they agree."""
        plain = dict(enumerate(self._plain(rows)))
        found = families(rows)
        half = sum(family.size for family in found) // 2
        trees = packs(found, min(self._limit, half))
        return all(self._agree(rows, self._branch(pack, rows), plain) for pack in trees)

    def _agree(self, rows: Sequence[Row], found: Scores, plain: Mapping[int, RowScore]) -> bool:
        """Record how far a tree's scores are from the plain ones, where there are any."""
        both = [n for n in found if n in plain]
        if not both:
            return True
        proof = self._model.proof
        gaps = [abs(found[n].nats - plain[n].nats) for n in both]
        if not all(map(math.isfinite, gaps)):
            proof.gap = None
            return False
        proof.gap = max(proof.gap or 0.0, *gaps)
        proof.of(rows[both[0]]).add(len(both), max(len(rows[n].ids) for n in both))
        return proof.gap <= TOLERANCE

    def _branch(self, pack: tuple[Family, ...], rows: Sequence[Row]) -> Scores:
        header = pack[0].header
        tree = plant(rows, (n for f in pack for n in f.rows), len(header))
        self.read += len(tree.ids)
        return dict(zip(tree.rows, self._after(header).score(rows, tree), strict=True))

    def _after(self, header: array[int]) -> Prefix:
        """Return the model as it is after reading the header."""
        if self._prefix is None or self._prefix.header != header:
            self._prefix = Prefix(self._model, header)
            self.read += len(header)
        return self._prefix
