"""The baseline every language model must beat: how often each token occurs, and nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from lab.errors import SuiteError
from lab.model.folder import ModelFiles
from lab.model.tokens import read_tokens
from lab.protocol import ItemScore, Kind, Task, TaskScores
from lab.scoring.rows import TEXT_WINDOW, rows_of


def unigram(files: ModelFiles, training: Sequence[str], task: Task) -> TaskScores:
    """Score a text task by token counts in the training texts, each count plus one.

    It uses the model's own tokenizer and scores the same tokens, so the two compare.
    """
    if task.kind is not Kind.TEXT:
        raise SuiteError("a unigram baseline is for texts", "take a suite of texts", file=task.name)
    tokens = read_tokens(files)
    counts: Counter[int] = Counter()
    for encoded in tokens.encode(training):
        counts.update(encoded.ids)
    total = counts.total() + tokens.highest + 1
    laid = rows_of(task, tokens, TEXT_WINDOW)
    nll, scored = [0.0] * len(task.items), [0] * len(task.items)
    for row in laid.rows:
        seen = row.ids[-row.scored :]
        nll[row.item] += math.fsum(math.log(total / (counts[token] + 1)) for token in seen)
        scored[row.item] += row.scored
    items = zip(task.items, nll, scored, laid.bytes, laid.lossless, strict=True)
    return TaskScores(
        task.name,
        tuple(ItemScore(i.id, n, s, b, None, i.cluster, ok) for i, n, s, b, ok in items),
    )
