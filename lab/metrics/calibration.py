"""Whether a model's probabilities can be believed: of ten answers at 0.9, nine should be right.

The probabilities are the softmax of the log-likelihoods of all choices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lab.metrics.scored import Scored
from lab.metrics.tally import Corpus, Ratio

BINS = 15


def brier(scored: Scored) -> Ratio:
    """Mean squared distance of the probabilities from the truth, summed over the choices."""
    tops = []
    for item, shares in zip(scored.items, _probabilities(scored), strict=True):
        truth = [float(place == item.answer) for place in range(len(shares))]
        tops.append(math.fsum((p - t) ** 2 for p, t in zip(shares, truth, strict=True)))
    return Ratio("brier", tuple(tops), (1.0,) * len(tops))


def ece(scored: Scored) -> Corpus:
    """Expected calibration error of the likeliest choice, over 15 bins of equal width."""
    rows = []
    chosen = zip(scored.items, scored.predictions, _probabilities(scored), strict=True)
    for item, prediction, shares in chosen:
        row = [0.0] * (BINS + 1)
        place = min(BINS - 1, max(0, math.ceil(shares[prediction] * BINS) - 1))
        row[place] = shares[prediction] - (prediction == item.answer)
        row[BINS] = 1.0
        rows.append(tuple(row))
    return Corpus("ece", tuple(rows), _gap, higher_is_better=False)


def _gap(sums: Sequence[float]) -> float:
    return math.fsum(abs(gap) for gap in sums[:BINS]) / sums[BINS]


def _probabilities(scored: Scored) -> list[list[float]]:
    found = []
    for score in scored.scores:
        least = min(score.nats)
        weights = [math.exp(least - nats) for nats in score.nats]
        total = math.fsum(weights)
        found.append([weight / total for weight in weights])
    return found
