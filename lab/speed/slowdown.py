"""From paired times of two models to a verdict: is head slower, or larger? Pure.

Each round gives the logarithm of head's time over base's. Their pseudo-median (the median of
all averages of two rounds, Hodges and Lehmann 1963) and its interval by Wilcoxon's signed rank
test need no normal distribution, only a symmetric one, and a few rounds that something else
disturbed move them little.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from lab.protocol import PaceScores

TOLERANCE = 0.03  # slower by so little may be where a model happens to lie in memory
_POWERED = 1.5  # half widths that a slowdown must be beyond the tolerance to be found, in 80 %


class Verdict(StrEnum):
    """What a comparison of pace comes to. INCONCLUSIVE is never a pass."""

    SLOWER = "slower"
    FASTER = "faster"
    LARGER = "larger"
    SMALLER = "smaller"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Slowdown:
    """Head's time over base's, 1 where they are equally fast.

    `low` to `high` covers the truth in 1 - 2 alpha of all runs; it is 0 to infinity where there
    are too few rounds to tell. `p_slower` is one-sided, against "head is not slower".
    """

    ratio: float
    low: float
    high: float
    rounds: int
    p_slower: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one quantity ("prefill", "decode" or "memory"), and why in one line.

    `detectable` is the smallest ratio that would have been called slower in four runs of five.
    """

    quantity: str
    verdict: Verdict
    slowdown: Slowdown
    detectable: float
    reason: str


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of a request, the median and that which one in twenty exceeds; writing speed.

    `tokens_per_second` is None for a model that writes nothing.
    """

    p50: float
    p95: float
    tokens_per_second: float | None
    requests: int


def slowdown(pairs: Sequence[tuple[float, float]], alpha: float = 0.05) -> Slowdown:
    """Estimate the ratio from rounds of (base, head) seconds."""
    logs = [math.log(head / base) for base, head in pairs]
    count = len(logs)
    averages = sorted((logs[i] + logs[j]) / 2 for i in range(count) for j in range(i, count))
    above = sum(average > 0 for average in averages) + sum(a == 0 for a in averages) / 2
    edge = _critical(count, alpha)
    return Slowdown(
        ratio=math.exp(statistics.median(averages)),
        low=math.exp(averages[edge - 1]) if edge else 0.0,
        high=math.exp(averages[-edge]) if edge else math.inf,
        rounds=count,
        p_slower=_upper_tail(count, above),
    )


def judge_pace(
    scores: PaceScores, tolerance: float = TOLERANCE, alpha: float = 0.05
) -> tuple[Judgement, ...]:
    """Judge reading, writing and memory; `alpha` is the rate of false alarms of all together."""
    timed = [(name, p) for name, p in (("prefill", scores.prefill), ("decode", scores.decode)) if p]
    found = [_judge(name, slowdown(pairs, alpha / len(timed)), tolerance) for name, pairs in timed]
    return (*found, *([_judge_memory(scores.peak, tolerance)] if all(scores.peak) else []))


def latency_of(reads: Sequence[float], writes: Sequence[float] = (), written: int = 0) -> Latency:
    """Sum up requests that each read a text and then write `written` tokens."""
    whole = [sum(pair) for pair in zip(reads, writes or [0.0] * len(reads), strict=True)]
    ordered = sorted(whole)
    return Latency(
        p50=statistics.median(ordered),
        p95=ordered[math.ceil(0.95 * len(ordered)) - 1],
        tokens_per_second=written / statistics.median(writes) if writes else None,
        requests=len(ordered),
    )


def _judge(quantity: str, found: Slowdown, tolerance: float) -> Judgement:
    limit = 1 + tolerance
    detectable = math.inf
    if found.low > 0:
        detectable = limit * (found.ratio / found.low) ** _POWERED
    moved = f"{found.ratio - 1:+.1%} ({found.low - 1:+.1%} to {found.high - 1:+.1%})"
    if found.low > limit:
        verdict, reason = Verdict.SLOWER, f"{moved}, tolerance {tolerance:.0%}"
    elif found.high < 1 / limit:
        verdict, reason = Verdict.FASTER, moved
    elif found.high <= limit:
        verdict, reason = Verdict.UNCHANGED, f"{moved}, within {tolerance:.0%}"
    else:
        verdict = Verdict.INCONCLUSIVE
        reason = f"{moved}; only {detectable - 1:.0%} would have shown"
    return Judgement(quantity, verdict, found, detectable, reason)


def _judge_memory(peak: tuple[int, int], tolerance: float) -> Judgement:
    """Compare peaks, which do not vary from run to run."""
    base, head = peak
    ratio, limit = head / base, 1 + tolerance
    verdict = Verdict.UNCHANGED
    if ratio > limit:
        verdict = Verdict.LARGER
    elif ratio < 1 / limit:
        verdict = Verdict.SMALLER
    reason = f"{ratio - 1:+.1%}: {head / 1e6:,.1f} MB, {base / 1e6:,.1f} MB before"
    exact = Slowdown(ratio, ratio, ratio, 1, float(ratio <= 1))
    return Judgement("memory", verdict, exact, limit, reason)


@cache
def _ways(count: int) -> tuple[int, ...]:
    """Return in how many of the 2^n ways of signs the positive ranks 1..n sum to each number."""
    ways = [1]
    for rank in range(1, count + 1):
        shifted = [0] * rank + ways
        ways = [a + b for a, b in zip(ways + [0] * rank, shifted, strict=True)]
    return tuple(ways)


def _critical(count: int, alpha: float) -> int:
    """Return k such that the k-th average from either end bounds the pseudo-median; 0: none.

    The sum of ranks is below k with a probability of at most alpha.
    """
    room = alpha * (1 << count)
    reached = 0
    for sum_, ways in enumerate(_ways(count)):
        reached += ways
        if reached > room:
            return sum_
    return 0


def _upper_tail(count: int, sum_: float) -> float:
    """Return the probability that the sum of positive ranks is at least this, by chance."""
    return sum(_ways(count)[math.ceil(sum_) :]) / (1 << count)
