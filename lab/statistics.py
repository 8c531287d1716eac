"""Estimates with their uncertainty from paired or single observations. Pure; scipy on use.

Everything here is a ratio of sums over items (a mean is one whose weights are 1), with a
standard error by linearisation, summed over clusters first (CR1: Miller 2024, arXiv
2411.00640, section 2.2), and Student's t with one degree of freedom less than clusters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A small sample of a skewed distribution seems less skewed than that is: so much, as
# benchmarks/decision.py shows, brings its false alarms back to what is promised.
_UNDERSTATED = 1.4


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


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of independent units with its error, and the shape that its tests allow for.

    Few losses among many small gains make Student's t wrong, in a direction that depends on
    the test. So the statistic is t or its correction for skewness by Hall (1992, JRSS B 54),
    whichever rejects less, and `degrees` shrink with the kurtosis, as the variance itself is
    then known from a few units only: 2 n / (kurtosis - 1), n - 1 for a normal distribution.
    """

    value: float
    error: float
    units: int
    degrees: float
    skew: float  # of the units, as allowed for, over the root of their number

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value against "the mean is at most `bound`"."""
        return self._tail((self.value - bound) / self.error, self.skew)

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value against "the mean is at least `bound`"."""
        return self._tail((bound - self.value) / self.error, -self.skew)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the bounds that the one-sided tests at `level` just do not reject."""
        reach = student_quantile(1 - level, self.degrees)
        down, up = (max(reach, _unskewed(reach, skew)) for skew in (self.skew, -self.skew))
        return self.value - down * self.error, self.value + up * self.error

    def _tail(self, t: float, skew: float) -> float:
        return student_tail(min(t, _skewed(t, skew)), self.degrees)


def _skewed(t: float, skew: float) -> float:
    """Correct t for skewness (Hall's transformation, which is monotone)."""
    return ((1 + skew * t / 3) ** 3 - 1) / skew + skew / 6 if skew else t


def _unskewed(corrected: float, skew: float) -> float:
    """Return the t of which this is the correction."""
    return 3 * (math.cbrt(1 + skew * (corrected - skew / 6)) - 1) / skew if skew else corrected


def mean(value: float, influences: Sequence[float], clusters: Sequence[str] = ()) -> Mean | None:
    """Return a ratio of sums with its error, from its items' influences.

    None where the units are too few, or move all alike but for rounding, so that no error can
    be told.
    """
    sums = together(influences, clusters)
    count = len(sums)
    squares = math.fsum(s * s for s in sums)
    if count < 2 or squares <= 0:
        return None
    deviation = math.sqrt(squares / count)
    skew = _UNDERSTATED * math.fsum((s / deviation) ** 3 for s in sums) / count
    kurtosis = math.fsum((s / deviation) ** 4 for s in sums) / count
    most = count - 1.0
    degrees = max(1.0, 2 * count / (kurtosis - 1)) if kurtosis > 1 else most
    error = math.sqrt(squares * count / most) / len(influences)
    return Mean(value, error, count, min(most, degrees), skew / math.sqrt(count))


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
    sums = together(influences, clusters)
    count = len(sums)
    if count < 2:
        return 0.0, 0
    squares = math.fsum(s * s for s in sums) * count / (count - 1)
    return math.sqrt(squares) / len(influences), count - 1


def together(values: Sequence[float], clusters: Sequence[str]) -> list[float]:
    """Return the sums of the clusters; whoever is in none is alone."""
    if not any(clusters):
        return list(values)
    alone = [v for v, name in zip(values, clusters, strict=True) if not name]
    groups: dict[str, list[float]] = {}
    for value, name in zip(values, clusters, strict=True):
        if name:
            groups.setdefault(name, []).append(value)
    return alone + [math.fsum(members) for members in groups.values()]


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values so that testing all of them keeps the error rate of one (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p-values so that of those called, the expected share of false ones is kept (1995)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    adjusted = [1.0] * len(p_values)
    lowest = 1.0
    for place, index in enumerate(order):
        lowest = min(lowest, p_values[index] * len(order) / (len(order) - place))
        adjusted[index] = lowest
    return tuple(adjusted)


def mcnemar(lost: int, gained: int) -> tuple[float, float]:
    """Return the exact p-values "more lost than gained" (one-sided) and "they differ"."""
    from scipy.special import bdtr

    flips = lost + gained
    if not flips:
        return 1.0, 1.0
    worse = float(bdtr(gained, flips, 0.5))
    return worse, min(1.0, 2 * float(bdtr(min(lost, gained), flips, 0.5)))


def student_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def student_tail(statistic: float, degrees: float) -> float:
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
