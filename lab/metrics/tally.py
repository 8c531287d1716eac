"""What items add up to: a value, its interval, and the difference of two models paired by item.

A metric is a ratio of two sums over items (a mean is one whose weights are 1), whose intervals
come from lab/statistics.py, or any other function of sums over items, as BLEU is: then clusters
are drawn anew, 1,000 times from a fixed seed, and the interval holds all but alpha of the
values that come out, and the value itself (percentile bootstrap).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lab.statistics import Estimate, influence, ratio, spread, wilson

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1_000
_HIGHEST = 300.0  # nats; beyond it no float holds the square of the perplexity

Bounds = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A metric that is sum(tops) / sum(bottoms), 0 where nothing is below the line.

    A "share" lies between 0 and 1; of a "perplexity" the ratio is the logarithm.
    """

    metric: str
    tops: tuple[float, ...]
    bottoms: tuple[float, ...]
    scale: Literal["plain", "share", "perplexity"] = "plain"
    higher_is_better: bool = False
    signature: str = ""

    @property
    def n(self) -> int:
        """Return how many items count."""
        return sum(bottom > 0 for bottom in self.bottoms)

    @property
    def value(self) -> float:
        """Return the metric."""
        whole = math.fsum(self.bottoms)  # nothing in it is below 0
        found = math.fsum(self.tops) / whole if whole else 0.0
        return _exp(found) if self.scale == "perplexity" else found

    def part(self, numbers: Sequence[int]) -> Ratio:
        """Return the same metric of these items alone."""
        tops = tuple(self.tops[n] for n in numbers)
        bottoms = tuple(self.bottoms[n] for n in numbers)
        return Ratio(self.metric, tops, bottoms, self.scale, self.higher_is_better, self.signature)

    def interval(self, clusters: Sequence[str], alpha: float, seed: int) -> Bounds:
        """Return the two-sided interval, None where there are too few items to tell."""
        if not self.n:
            return None
        found = ratio(self.tops, self.bottoms, clusters)
        bounds = found.interval(alpha)
        if self.scale == "share":
            return self._share(found, bounds, clusters, alpha)
        if self.scale == "perplexity" and bounds:
            return _exp(bounds[0]), _exp(bounds[1])
        return bounds

    def change(self, head: Ratio, clusters: Sequence[str], alpha: float, seed: int) -> Bounds:
        """Return the interval of head minus this, None where nothing tells an error."""
        capped = self.scale == "perplexity" and _exp(_HIGHEST) in (self.value, head.value)
        if capped or not (self.n and head.n):
            return None
        after, before = head._influence(), self._influence()
        error, degrees = spread([h - b for h, b in zip(after, before, strict=True)], clusters)
        # Items that all move alike have an error of rounding only.
        if not 1e-12 * max(abs(self.value), abs(head.value)) < error < math.inf:
            return None
        return Estimate(head.value - self.value, error, degrees).interval(alpha)

    def _share(
        self, found: Estimate, bounds: Bounds, clusters: Sequence[str], alpha: float
    ) -> tuple[float, float]:
        counted = [name for name, bottom in zip(clusters, self.bottoms, strict=True) if bottom]
        whole = {0.0, 1.0}.issuperset(self.tops + self.bottoms) and not any(counted)
        if bounds and found.error > 0 and not whole:
            return max(0.0, bounds[0]), min(1.0, bounds[1])
        low, high = wilson(found.value, independent(counted), alpha)
        return min(low, found.value), max(high, found.value)  # rounding may part them

    def _influence(self) -> list[float]:
        found = influence(self.tops, self.bottoms)
        slope = self.value if self.scale == "perplexity" else 1.0
        return [slope * one for one in found]


@dataclass(frozen=True, slots=True)
class Corpus:
    """A metric that is a function of the sums of what each item adds to each of its `rows`."""

    metric: str
    rows: tuple[tuple[float, ...], ...]
    total: Callable[[Sequence[float]], float]
    higher_is_better: bool = True
    signature: str = ""

    @property
    def n(self) -> int:
        """Return how many items count."""
        return len(self.rows)

    @property
    def value(self) -> float:
        """Return the metric."""
        return self.total([math.fsum(column) for column in zip(*self.rows, strict=True)])

    def part(self, numbers: Sequence[int]) -> Corpus:
        """Return the same metric of these items alone."""
        rows = tuple(self.rows[n] for n in numbers)
        return Corpus(self.metric, rows, self.total, self.higher_is_better, self.signature)

    def interval(self, clusters: Sequence[str], alpha: float, seed: int) -> Bounds:
        """Return the two-sided interval, None where there are too few items to tell."""
        values = [self.total(sums) for sums in _resampled(self.rows, clusters, seed)]
        return _between(values, self.value, alpha)

    def change(self, head: Corpus, clusters: Sequence[str], alpha: float, seed: int) -> Bounds:
        """Return the interval of head minus this over the same draws of both."""
        width = len(self.rows[0])
        both = [before + after for before, after in zip(self.rows, head.rows, strict=True)]
        values = [
            head.total(sums[width:]) - self.total(sums[:width])
            for sums in _resampled(both, clusters, seed)
        ]
        return _between(values, head.value - self.value, alpha) if any(values) else None


Tally = Ratio | Corpus


def seed_of(name: str) -> int:
    """Return the seed of a task's draws: its name alone decides it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])


def independent(clusters: Sequence[str]) -> int:
    """Return how many independent items there are: those alone, and one for each cluster."""
    return sum(not name for name in clusters) + len(set(clusters) - {""})


def _resampled(
    rows: Sequence[tuple[float, ...]], clusters: Sequence[str], seed: int
) -> list[list[float]]:
    """Return the sums of 1,000 draws of clusters with replacement; none of fewer than two."""
    import numpy as np

    which: np.ndarray[Any, Any] | None = None
    distinct = dict.fromkeys(rows)
    if len(distinct) < len(rows) // 4 and not any(clusters):
        # Items alike count together: labels have few kinds of items, and many columns.
        places = {row: place for place, row in enumerate(distinct)}
        which, sums = np.array([places[row] for row in rows]), np.array([*distinct], np.float64)
        count = len(rows)
    else:
        sums = _by_cluster(np.asarray(rows, dtype=np.float64), clusters)
        count = len(sums)
    if count < 2:
        return []
    draw = np.random.default_rng(seed)
    totals = np.empty((RESAMPLES, sums.shape[1]))
    for number in range(RESAMPLES):
        drawn = draw.integers(count, size=count)
        kinds = drawn if which is None else which[drawn]
        totals[number] = np.bincount(kinds, minlength=len(sums)) @ sums
    found: list[list[float]] = totals.tolist()
    return found


def _by_cluster(rows: np.ndarray[Any, Any], clusters: Sequence[str]) -> np.ndarray[Any, Any]:
    import numpy as np

    if not any(clusters):
        return rows
    places: dict[tuple[str, int], int] = {}
    where = [
        places.setdefault((name, 0 if name else number), len(places))
        for number, name in enumerate(clusters)
    ]
    sums = np.zeros((len(places), rows.shape[1]))
    np.add.at(sums, where, rows)
    return sums


def _between(values: Sequence[float], value: float, alpha: float) -> Bounds:
    import numpy as np

    if not values:
        return None
    low, high = np.quantile(values, [alpha / 2, 1 - alpha / 2])
    return min(float(low), value), max(float(high), value)


def _exp(nats: float) -> float:
    return math.exp(min(nats, _HIGHEST))
