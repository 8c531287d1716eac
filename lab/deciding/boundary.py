"""Looking several times at growing data without raising the rate of false alarms. Pure.

A test that may reject at each of a few looks must ask more of each. Here the standard normal
statistic of a look at the share t of all data counts as z * t ** (1/2 - SHAPE), its height;
the test rejects where the highest height so far is beyond a fixed one (Wang and Tsiatis 1987,
Biometrics 43). The chance of that is found by integrating from look to look (Armitage,
McPherson and Rowe 1969, JRSS A 132), so that the highest height has a p-value of its own,
valid at every look. SHAPE 0 spends nearly all on the last look, 1/2 the same on each.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

SHAPE = 0.3
_NODES = 64
_LOWEST, _HIGHEST, _STEPS = -2.0, 10.0, 121
_BEYOND = 38.0  # standard deviations: the smallest float


def height(p_value: float, share: float) -> float:
    """Return how high a one-sided p-value found at this share of all data counts."""
    from scipy.special import ndtri

    z = min(_BEYOND, max(-_BEYOND, -float(ndtri(p_value))))
    return z * float(share ** (0.5 - SHAPE))


def chance(highest: float, times: tuple[float, ...]) -> float:
    """Return how often looks at these shares reach this height where there is nothing."""
    from numpy import interp
    from scipy.special import ndtr

    if len(times) == 1:
        return float(ndtr(-highest))
    heights, logs = _table(times)
    return math.exp(float(interp(highest, heights, logs)))


def level(alpha: float, time: float, times: tuple[float, ...]) -> float:
    """Return the p-value that rejects at the look `time`, for an error of `alpha` over all."""
    from numpy import interp
    from scipy.special import ndtr

    if len(times) == 1:
        return alpha
    heights, logs = _table(times)
    needed = float(interp(math.log(alpha), logs[::-1], heights[::-1]))
    return float(ndtr(-needed * time ** (SHAPE - 0.5)))


@lru_cache(maxsize=256)
def _table(times: tuple[float, ...]) -> tuple[Any, Any]:
    """Return heights, and the logarithm of the chance to reach each."""
    from numpy import array, linspace, log

    heights = linspace(_LOWEST, _HIGHEST, _STEPS)
    return heights, log(array([_reached(float(one), times) for one in heights]))


def _reached(highest: float, times: tuple[float, ...]) -> float:
    """Integrate over Brownian motion that has stayed below the boundary so far."""
    from numpy import exp, pi, sqrt
    from scipy.special import ndtr

    bounds = [highest * time**SHAPE for time in times]
    total = float(ndtr(-bounds[0] / math.sqrt(times[0])))
    places, weights = _nodes(bounds[0], times[0])
    mass = weights * exp(-places * places / (2 * times[0])) / sqrt(2 * pi * times[0])
    for (before, now), bound in zip(pairwise(times), bounds[1:], strict=True):
        step = now - before
        total += float(mass @ ndtr((places - bound) / math.sqrt(step)))
        ends, weights = _nodes(bound, now)
        gaps = ends[:, None] - places
        mass = weights * (exp(-gaps * gaps / (2 * step)) @ mass) / sqrt(2 * pi * step)
        places = ends
    return min(1.0, total)


def _nodes(bound: float, time: float) -> tuple[Any, Any]:
    """Return places below the bound and their weights (Gauss-Legendre)."""
    points, weights = _legendre()
    low = min(-8 * math.sqrt(time), bound - math.sqrt(time))
    high = min(bound, 8 * math.sqrt(time))
    half = (high - low) / 2
    return low + half * (points + 1), weights * half


@lru_cache(maxsize=1)
def _legendre() -> tuple[Any, Any]:
    from numpy.polynomial.legendre import leggauss

    return leggauss(_NODES)
