from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.metrics.calibration import BINS, brier, ece
from lab.metrics.scored import Scored, pair
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores

NATS = st.lists(st.floats(0, 30), min_size=2, max_size=5)
ROWS = st.lists(st.tuples(NATS, st.integers(0, 1)), min_size=1, max_size=60)


def scored(rows: Sequence[tuple[Sequence[float], int]]) -> Scored:
    items = tuple(
        Item(str(n), "", tuple("abcde"[: len(nats)]), answer)
        for n, (nats, answer) in enumerate(rows)
    )
    scores = tuple(
        ItemScore(str(n), nats[answer], 1, 1, nats=tuple(nats))
        for n, (nats, answer) in enumerate(rows)
    )
    return pair(Task("t", items, Kind.CHOICES), TaskScores("t", scores))


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_as_the_definitions_say(rows: list[tuple[list[float], int]]) -> None:
    confidences, right, distances = [], [], []
    for nats, answer in rows:
        shares = np.exp(-np.array(nats)) / np.exp(-np.array(nats)).sum()
        best = int(np.argmax(-np.array(nats)))
        confidences.append(shares[best])
        right.append(float(best == answer))
        distances.append(((shares - np.eye(len(nats))[answer]) ** 2).sum())
    found = scored(rows)
    assert brier(found).value == pytest.approx(float(np.mean(distances)), abs=1e-9)
    bounds = np.linspace(0, 1, BINS + 1)
    bins = np.digitize(confidences, bounds, right=True)  # above the lower bound, up to the upper
    if np.abs(np.subtract.outer(confidences, bounds[1:-1])).min() < 1e-9:
        return  # rounding decides the bin
    gap = 0.0
    for one in set(bins):
        inside = bins == one
        mean = np.array(confidences)[inside].mean() - np.array(right)[inside].mean()
        gap += abs(mean) * inside.mean()
    assert ece(found).value == pytest.approx(gap, abs=1e-9)


def test_a_sure_and_right_model_is_calibrated_a_sure_and_wrong_one_is_not() -> None:
    right, wrong = scored([((0.0, 800.0), 0)] * 3), scored([((0.0, 800.0), 1)] * 3)
    assert (brier(right).value, ece(right).value) == (0.0, 0.0)
    assert (brier(wrong).value, ece(wrong).value) == (2.0, 1.0)
    assert not brier(right).higher_is_better
    assert not ece(right).higher_is_better


def test_half_sure_and_half_right() -> None:
    even = scored([((1.0, 1.0), n % 2) for n in range(10)])
    assert brier(even).value == pytest.approx(0.5)
    assert ece(even).value == pytest.approx(0.0)
    odd = scored([((0.0, math.log(3)), n % 2) for n in range(10)])  # 3/4 sure
    assert ece(odd).value == pytest.approx(0.25)
