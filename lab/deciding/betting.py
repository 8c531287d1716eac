"""A test by betting on bounded values, valid whenever one looks. Pure.

Whoever bets on values whose mean is at most 0 does not get rich: the chance that the wealth
ever reaches 1 / alpha is at most alpha, whatever the distribution, however rare what hurts
(Waudby-Smith and Ramdas 2023, JRSS B 86; Ville's inequality). So 1 / wealth is a p-value that
stays valid where a t test, which trusts the variance it has seen so far, does not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

# The wealth is the mean over bets of these shares of the largest safe one: order is no matter.
_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)


def log_wealth(values: Sequence[float], worst: float) -> float:
    """Return the logarithm of the wealth from 1 after betting that the mean is above 0.

    No value is below -`worst`.
    """
    counts = Counter(values)
    logs = [
        math.fsum(n * math.log1p(share * value / worst) for value, n in counts.items())
        for share in _SHARES
    ]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(one - top) for one in logs) / len(logs))
