"""Estimates with their uncertainty from paired or single observations. Pure; scipy on use.

Everything here is a ratio of sums over items (a mean is one whose weights are 1), with a
standard error by linearisation, summed over clusters first (CR1: Miller 2024, arXiv
2411.00640, section 2.2), and Student's t with one degree of freedom less than clusters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its standard error and degrees of freedom (0: too few to tell an error)."""

    value: float
    error: float
    degrees: int

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """Return the two-sided interval that covers the truth in 1 - alpha of all samples.

        None where there are too few items to tell.
        """
        if self.degrees < 1:
            return None
        reach = student_quantile(1 - alpha / 2, self.degrees) * self.error
        return self.value - reach, self.value + reach

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value against "the value is at most `bound`"."""
        if self.degrees < 1 or self.error == 0:
            return 1.0
        return student_tail((self.value - bound) / self.error, self.degrees)


def ratio(
    tops: Sequence[float], bottoms: Sequence[float], clusters: Sequence[str] = ()
) -> Estimate:
    """Estimate sum(tops) / sum(bottoms). Items of one non-empty cluster vary together."""
    value = math.fsum(tops) / math.fsum(bottoms)
    return Estimate(value, *spread(influence(tops, bottoms), clusters))


def influence(tops: Sequence[float], bottoms: Sequence[float]) -> list[float]:
    """Return how far each item moves the ratio of the sums, times the number of items."""
    total = math.fsum(bottoms)
    value, mean = math.fsum(tops) / total, total / len(bottoms)
    return [(top - value * bottom) / mean for top, bottom in zip(tops, bottoms, strict=True)]


def spread(influences: Sequence[float], clusters: Sequence[str] = ()) -> tuple[float, int]:
    """Return the standard error of a mean of these (which sum to 0) and its degrees."""
    sums = _by_cluster(influences, clusters)
    count = len(sums)
    if count < 2:
        return 0.0, 0
    squares = math.fsum(s * s for s in sums) * count / (count - 1)
    return math.sqrt(squares) / len(influences), count - 1


def _by_cluster(values: Sequence[float], clusters: Sequence[str]) -> list[float]:
    if not any(clusters):
        return list(values)
    alone = [v for v, name in zip(values, clusters, strict=True) if not name]
    together: dict[str, list[float]] = {}
    for value, name in zip(values, clusters, strict=True):
        if name:
            together.setdefault(name, []).append(value)
    return alone + [math.fsum(members) for members in together.values()]


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values so that testing all of them keeps the error rate of one (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def mcnemar(lost: int, gained: int) -> tuple[float, float]:
    """Return the exact p-values "more lost than gained" (one-sided) and "they differ"."""
    from scipy.special import bdtr

    flips = lost + gained
    if not flips:
        return 1.0, 1.0
    worse = float(bdtr(gained, flips, 0.5))
    return worse, min(1.0, 2 * float(bdtr(min(lost, gained), flips, 0.5)))


def student_quantile(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def student_tail(statistic: float, degrees: int) -> float:
    """Return the probability that Student's t is above `statistic`."""
    from scipy.special import stdtr

    return float(stdtr(degrees, -statistic))


def wilson(share: float, count: int, alpha: float) -> tuple[float, float]:
    """Return the Wilson interval of a share seen in `count` independent trials."""
    from scipy.special import ndtri

    z = float(ndtri(1 - alpha / 2))
    square = z * z / count
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)
