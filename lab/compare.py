"""Two models on the same items: how far they differ, and how far they would have to.

Pure, and paired item by item. The quantity is bits per byte of the texts, or of the right
answers: all nats over all bytes, so it depends on neither the tokenizer nor the length of
answers, and one tolerance fits every task. The lower, the better; the difference is head minus
base, so above 0 is worse. Accuracy is compared beside it, by McNemar's exact test: it is what
people read, but it sees damage only with a hundred times the items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lab.errors import CompareError
from lab.protocol import ItemScore, TaskScores
from lab.statistics import Estimate, holm, influence, mcnemar, spread, student_quantile

UNIT = "bits per byte"
MOST_CHANGED = 10


class Change(StrEnum):
    """What a comparison comes to. INCONCLUSIVE is never a pass."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "no detectable change"
    IDENTICAL = "identical"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Right answers of both; `lost` turned wrong in head, `gained` turned right.

    `p_worse` is one-sided ("more lost than gained"), `p_value` two-sided; both exact.
    """

    base: float
    head: float
    lost: int
    gained: int
    p_worse: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An item and its negative log-likelihood in nats under both models."""

    id: str
    base: float
    head: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head against base on one task, in bits per byte.

    `low` to `high` is the interval of `difference` that covers the truth in `confidence` of all
    samples: 1 - 2 `alpha`, so that it leaves out 0 exactly where a one-sided test at `alpha`
    finds a change. `p_worse` is the one-sided p-value of "head is worse", `effect` the
    difference in standard deviations of an item's, and `detectable` the smallest worsening that
    a one-sided test at `alpha` finds with `power`. Where items are too few or do not vary,
    `measurable` is False: the interval is the point, `p_worse` is 1 and `detectable` 0, none of
    which means anything. `lossy` counts items whose text only head's tokenizer fails to give back.
    """

    task: str
    n: int
    clusters: int
    base: float
    head: float
    difference: float
    low: float
    high: float
    error: float
    p_worse: float
    effect: float
    detectable: float
    alpha: float
    power: float
    measurable: bool
    identical: bool
    lossy: int
    accuracy: Accuracy | None
    changed: tuple[ItemChange, ...]

    @property
    def confidence(self) -> float:
        """Return how often intervals made like this one cover the truth."""
        return 1 - 2 * self.alpha

    @property
    def estimate(self) -> Estimate:
        """Return the difference as an estimate."""
        return Estimate(self.difference, self.error, self.clusters - 1)

    @property
    def mirrored(self) -> Estimate:
        """Return the estimate of how much better head is."""
        return Estimate(-self.difference, self.error, self.clusters - 1)


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one task, and why in one line.

    `p_value` is adjusted for the number of tasks, and so is `detectable`, the smallest
    worsening beyond the tolerance that would have been found (0 where nothing can be said).
    `items` is how many items would have shown the resolution, 0 where there were enough.
    """

    task: str
    verdict: Change
    p_value: float
    detectable: float
    items: int
    reason: str


def compare(
    base: TaskScores, head: TaskScores, *, alpha: float = 0.05, power: float = 0.8
) -> Comparison:
    """Compare two sets of scores of one task. Raises CompareError."""
    _check(base, head)
    pairs = tuple(zip(base.items, head.items, strict=True))
    influences = [
        right - left for left, right in zip(_influence(base), _influence(head), strict=True)
    ]
    error, degrees = spread(influences, [item.cluster for item in base.items])
    before, after = _value(base), _value(head)
    found = Estimate(after - before, error, degrees)
    # Items that all move alike have an error of rounding only: no variance to judge by.
    measurable = error > 1e-12 * max(before, after)
    low, high = (measurable and found.interval(2 * alpha)) or (found.value, found.value)
    return Comparison(
        task=base.task,
        n=len(pairs),
        clusters=degrees + 1,
        base=before,
        head=after,
        difference=found.value,
        low=low,
        high=high,
        error=error,
        p_worse=found.p_above(0.0) if measurable else 1.0,
        effect=found.value / (error * math.sqrt(len(pairs))) if measurable else 0.0,
        detectable=_reach(alpha, power, degrees) * error if measurable else 0.0,
        alpha=alpha,
        power=power,
        measurable=measurable,
        identical=all(left.nll == right.nll for left, right in pairs),
        lossy=sum(left.lossless and not right.lossless for left, right in pairs),
        accuracy=None if pairs[0][0].correct is None else _accuracy(pairs),
        changed=_most_changed(pairs),
    )


def decide(
    comparisons: Sequence[Comparison], tolerance: float, resolution: float, alpha: float = 0.05
) -> tuple[Decision, ...]:
    """Judge all tasks together, at an error rate of `alpha` for the lot (Holm).

    A task regressed if head is worse by more than `tolerance`. Where the data would miss a
    worsening of `resolution` beyond that, silence is inconclusive.
    """
    worse = holm([c.estimate.p_above(tolerance) if c.measurable else 1.0 for c in comparisons])
    better = holm([c.mirrored.p_above(0.0) if c.measurable else 1.0 for c in comparisons])
    share = alpha / max(1, len(comparisons))
    return tuple(
        _decision(comparison, down, up <= alpha, tolerance, resolution, alpha, share)
        for comparison, down, up in zip(comparisons, worse, better, strict=True)
    )


def _decision(
    found: Comparison,
    p_value: float,
    better: bool,
    tolerance: float,
    resolution: float,
    alpha: float,
    share: float,
) -> Decision:
    reach = _reach(share, found.power, found.clusters - 1) if found.measurable else 0.0
    detectable = reach * found.error
    moved = f"{found.difference:+.4g} {UNIT} ({found.low:+.4g} to {found.high:+.4g})"
    items = 0
    if found.lossy:
        verdict = Change.INCONCLUSIVE
        reason = f"head's tokenizer loses text in {found.lossy} of {found.n} items"
    elif found.identical:
        verdict, reason = Change.IDENTICAL, f"all {found.n} items score the same"
    elif not found.measurable:
        verdict = Change.INCONCLUSIVE
        reason = f"{found.clusters} independent items without variance: no error can be told"
    elif p_value <= alpha:
        verdict, reason = Change.REGRESSED, f"{moved}, tolerance {tolerance:g}"
    elif better:
        verdict, reason = Change.IMPROVED, moved
    elif detectable > resolution:
        verdict = Change.INCONCLUSIVE
        items = math.ceil(found.n * (detectable / resolution) ** 2) if resolution > 0 else 0
        needed = f"; about {items:,} items would show {resolution:g}" if items else ""
        reason = f"{moved}; a worsening below {detectable:.2g} would go unseen{needed}"
    else:
        verdict = Change.UNCHANGED
        reason = f"{moved}; a change of {detectable:.4g} would have shown"
    return Decision(found.task, verdict, p_value, detectable, items, reason)


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


def _sums(scores: TaskScores) -> tuple[list[float], list[float]]:
    return [i.nll for i in scores.items], [i.bytes * math.log(2) for i in scores.items]


def _value(scores: TaskScores) -> float:
    nats, bits = _sums(scores)
    return math.fsum(nats) / math.fsum(bits)


def _influence(scores: TaskScores) -> list[float]:
    return influence(*_sums(scores))


def _reach(alpha: float, power: float, degrees: int) -> float:
    """Return how many standard errors a change must measure to be found with this power."""
    return student_quantile(1 - alpha, degrees) + student_quantile(power, degrees)


def _accuracy(pairs: tuple[tuple[ItemScore, ItemScore], ...]) -> Accuracy:
    lost = sum(bool(left.correct) and not right.correct for left, right in pairs)
    gained = sum(bool(right.correct) and not left.correct for left, right in pairs)
    return Accuracy(
        sum(bool(left.correct) for left, _ in pairs) / len(pairs),
        sum(bool(right.correct) for _, right in pairs) / len(pairs),
        lost,
        gained,
        *mcnemar(lost, gained),
    )


def _most_changed(pairs: tuple[tuple[ItemScore, ItemScore], ...]) -> tuple[ItemChange, ...]:
    changes = [ItemChange(left.id, left.nll, right.nll) for left, right in pairs]
    moved = [change for change in changes if change.base != change.head]
    moved.sort(key=lambda c: (-abs(c.head - c.base), c.id))
    return tuple(moved[:MOST_CHANGED])
