"""Two models on the same items: how far they differ.

Pure, and paired item by item. The quantity is bits per byte of the texts, or of the right
answers: all nats over all bytes, so it depends on neither the tokenizer nor the length of
answers, and one tolerance fits every task. The lower, the better; the difference is head minus
base, so above 0 is worse. Accuracy is compared beside it: it is what people read, but it sees
damage only with a hundred times the items. What follows from it all, lab/deciding/gate.py says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import nsmallest

from lab.errors import CompareError
from lab.protocol import ItemScore, Kind, Task, TaskScores
from lab.statistics import Mean, influence, mean

UNIT = "bits per byte"
MOST_CHANGED = 10
_SHOWN = 200  # characters of an output


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of right answers of both; `lost` turned wrong in head, `gained` turned right."""

    base: float
    head: float
    lost: int
    gained: int


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item, its negative log-likelihood in nats under both models, and what they answered.

    The outputs are cut short; "" for texts. They are a stranger's words.
    """

    id: str
    base: float
    head: float
    base_output: str = ""
    head_output: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head against base on one task, in bits per byte.

    `mean` is the difference with its error, None where no error can be told: too few items, or
    none that vary. `lossy` counts items of whose text head drops more, or leaves more unscored.
    """

    task: str
    n: int
    clusters: int
    base: float
    head: float
    difference: float
    mean: Mean | None
    identical: bool
    lossy: int
    accuracy: Accuracy | None

    @property
    def effect(self) -> float:
        """Return the difference in standard deviations of an item's, 0 where none is known."""
        return self.difference / (self.mean.error * math.sqrt(self.n)) if self.mean else 0.0


def compare(base: TaskScores, head: TaskScores) -> Comparison:
    """Compare two sets of scores of one task. Raises CompareError."""
    _check(base, head)
    pairs = tuple(zip(base.items, head.items, strict=True))
    influences = [
        right - left for left, right in zip(_influence(base), _influence(head), strict=True)
    ]
    before, after = _value(base), _value(head)
    found = mean(after - before, influences, [item.cluster for item in base.items])
    # Items that all move alike have an error of rounding only: no variance to judge by.
    measurable = found is not None and found.error > 1e-12 * max(before, after)
    return Comparison(
        task=base.task,
        n=len(pairs),
        clusters=_units(base),
        base=before,
        head=after,
        difference=after - before,
        mean=found if measurable else None,
        identical=all(_same(left, right) for left, right in pairs),
        lossy=sum(_loses(left, right) for left, right in pairs),
        accuracy=None if pairs[0][0].correct is None else _accuracy(pairs),
    )


def most_changed(task: Task, base: TaskScores, head: TaskScores) -> tuple[ItemChange, ...]:
    """Return the items whose likelihood changed most, with what both models answered."""
    changed = (
        (item, left, right)
        for item, left, right in zip(task.items, base.items, head.items, strict=False)
        if not _same(left, right)
    )
    most = nsmallest(MOST_CHANGED, changed, key=lambda c: (-abs(c[2].nll - c[1].nll), c[0].id))
    return tuple(
        ItemChange(
            item.id,
            left.nll,
            right.nll,
            _output(task, item.choices, left),
            _output(task, item.choices, right),
        )
        for item, left, right in most
    )


def _output(task: Task, choices: tuple[str, ...], score: ItemScore) -> str:
    if task.kind is Kind.GENERATE:
        shown = score.final or score.output
    elif task.kind in (Kind.CHOICES, Kind.LABEL) and len(score.nats) == len(choices):
        shown = choices[score.nats.index(min(score.nats))]
    else:
        return ""
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _loses(left: ItemScore, right: ItemScore) -> bool:
    """Say whether head is let off some text: not scored, or dropped by its tokenizer.

    Where base's drops text too, only the same tokens are known to drop the same.
    """
    dropped = not right.lossless and (left.lossless or right.tokens != left.tokens)
    return dropped or right.bytes < left.bytes


def _same(left: ItemScore, right: ItemScore) -> bool:
    """Say whether nothing that is judged differs."""
    return (left.nll, left.correct, left.nats, left.final, left.lossless) == (
        right.nll,
        right.correct,
        right.nats,
        right.final,
        right.lossless,
    )


def _check(base: TaskScores, head: TaskScores) -> None:
    hint = "score both models on the same suite"
    if base.task != head.task or not base.items:
        raise CompareError(f"{base.task!r:.80} and {head.task!r:.80} share no items", hint)
    if len(base.items) != len(head.items):
        message = (
            f"{base.task}: {len(base.items)} items scored for base, {len(head.items)} for head"
        )
        raise CompareError(message, hint)
    kinds = set()
    for left, right in zip(base.items, head.items, strict=True):
        if (left.id, left.cluster) != (right.id, right.cluster):
            raise CompareError(f"{base.task}: item {left.id!r:.80} is not in both", hint)
        for item in (left, right):
            kinds.add(item.correct is None)
            if not (math.isfinite(item.nll) and item.nll >= 0 and item.bytes > 0):
                message = f"{base.task}: item {item.id!r:.80} has a score that is no number"
                raise CompareError(message, hint)
    if len(kinds) > 1:
        raise CompareError(f"{base.task}: texts and choices in one task", hint)


def _units(scores: TaskScores) -> int:
    names = [item.cluster for item in scores.items]
    return names.count("") + len(set(names) - {""})


def _sums(scores: TaskScores) -> tuple[list[float], list[float]]:
    return [i.nll for i in scores.items], [i.bytes * math.log(2) for i in scores.items]


def _value(scores: TaskScores) -> float:
    nats, bits = _sums(scores)
    return math.fsum(nats) / math.fsum(bits)


def _influence(scores: TaskScores) -> list[float]:
    return influence(*_sums(scores))


def _accuracy(pairs: tuple[tuple[ItemScore, ItemScore], ...]) -> Accuracy:
    return Accuracy(
        sum(bool(left.correct) for left, _ in pairs) / len(pairs),
        sum(bool(right.correct) for _, right in pairs) / len(pairs),
        sum(bool(left.correct) and not right.correct for left, right in pairs),
        sum(bool(right.correct) and not left.correct for left, right in pairs),
    )
