"""The fast way to score rows: what many begin with is read once.

The header that all rows share is read once and its keys and values kept. The rest of the rows
stands in trees (lab/scoring/tree.py): one row of tokens without padding, in which a mask lets
each see the header and its own ancestors only, at the position it has in its row. The head runs
at the positions that predict a scored token.

Not every architecture obeys such a mask or such positions, and few say so: the caller proves
the scores against the plain way (lab/scoring/plain.py) before using them.
"""

from __future__ import annotations

import copy
import inspect
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lab.model.load import Model
from lab.scoring.rows import Row, RowScore
from lab.scoring.tail import row_scores, tensor
from lab.scoring.tree import Tree

if TYPE_CHECKING:
    import torch

_NEEDED = {"attention_mask", "position_ids", "past_key_values", "use_cache"}


class Prefix:
    """A model that has read a header."""

    def __init__(self, model: Model, header: array[int]) -> None:
        self._model = model
        self.header = header
        self._length = len(header)
        self._cache: Any = None
        if header:
            tokens = tensor(header, model.device)[None]
            keep = {"logits_to_keep": 1} if model.trims else {}
            output = model.module(input_ids=tokens, use_cache=True, **keep)
            self._cache = output.past_key_values

    def score(self, rows: Sequence[Row], tree: Tree) -> list[RowScore]:
        """Score the rows of the tree, in its order."""
        import torch

        chosen = [rows[number] for number in tree.rows]
        ends = [path[-row.scored :] for row, path in zip(chosen, tree.paths, strict=True)]
        places = sorted({place for end in ends for place in end})
        lines = {place: line for line, place in enumerate(places)}
        kept = torch.tensor(places, device=self._model.device)
        of = [array("q", [lines[place] for place in end]) for end in ends]
        return row_scores(self._logits(tree, kept), of, chosen)

    def _logits(self, tree: Tree, kept: torch.Tensor) -> Any:
        model, options = self._model, {}
        if self._length:
            options = {"past_key_values": _branch(self._cache)}
        if model.trims:
            options["logits_to_keep"] = kept
        logits = model.module(
            input_ids=tensor(tree.ids, model.device)[None],
            position_ids=tensor(tree.places, model.device)[None],
            attention_mask=self._mask(tree),
            use_cache=bool(self._length),
            **options,
        ).logits[0]
        return logits if model.trims else logits[kept]

    def _mask(self, tree: Tree) -> torch.Tensor:
        """Return what is added to attention: 0 where a token may look, the lowest elsewhere."""
        import torch

        size, dtype = len(tree.ids), self._model.module.dtype
        never = torch.finfo(dtype).min
        mask = torch.full((size, self._length + size), never, dtype=dtype)
        mask[:, : self._length] = 0
        longest = max(map(len, tree.paths))
        causal = torch.full((longest, longest), never, dtype=dtype).triu(1)
        done = 0
        for path in tree.paths:
            line = tensor(path, "cpu")
            # Tokens stand in the order of the rows: what is below `done` was there before.
            old = int((line < done).sum())
            mask[line[old:, None], self._length + line] = causal[old : len(path), : len(path)]
            done += len(path) - old
        return mask[None, None].to(self._model.device)


def can_branch(model: Model) -> bool:
    """Whether the model takes what the fast way hands it."""
    return set(inspect.signature(model.module.forward).parameters) >= _NEEDED


def _branch(cache: Any) -> Any:
    """Return a cache that grows on its own and shares the header's tensors."""
    grown = copy.copy(cache)
    grown.layers = [copy.copy(layer) for layer in cache.layers]
    return grown
