from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lab.deciding.boundary import SHAPE, chance, height, level

TIMES = (0.05, 0.1, 0.25, 0.5, 1.0)


def test_one_look_is_the_plain_test() -> None:
    for p_value in (1e-6, 0.03, 0.5, 0.9):
        assert chance(height(p_value, 1.0), (1.0,)) == pytest.approx(p_value)
        assert level(p_value, 1.0, (1.0,)) == p_value


@pytest.mark.parametrize("times", [TIMES, (0.7, 1.0), (0.0005, 0.01, 0.3, 0.9, 0.95, 1.0)])
def test_looks_together_keep_the_error_rate(times: tuple[float, ...]) -> None:
    random = np.random.default_rng(1)
    steps = np.diff((0.0, *times))
    paths = np.cumsum(random.normal(size=(200_000, len(times))) * np.sqrt(steps), axis=1)
    z = paths / np.sqrt(times)
    for alpha in (0.2, 0.05, 0.005):
        bounds = [stats.norm.isf(level(alpha, t, times)) for t in times]
        crossed = (z >= bounds).any(axis=1).mean()
        assert crossed == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 200_000))


@given(st.floats(1e-12, 0.9), st.sampled_from(TIMES))
def test_what_just_rejects_has_the_p_value_of_the_error_rate(alpha: float, time: float) -> None:
    found = chance(height(level(alpha, time, TIMES), time), TIMES)
    assert found == pytest.approx(alpha, rel=1e-6)


@given(st.floats(-50, 50), st.floats(0, 5))
def test_higher_is_rarer(highest: float, more: float) -> None:
    assert 0 <= chance(highest + more, TIMES) <= chance(highest, TIMES) <= 1


def test_the_first_look_asks_most_and_the_last_little_more_than_one_alone() -> None:
    asked = [stats.norm.isf(level(0.05, t, TIMES)) for t in TIMES]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] == pytest.approx(asked[-1] * 0.05 ** (SHAPE - 0.5))
    assert 1.645 < asked[-1] < 1.9


@pytest.mark.parametrize("p_value", [0.0, 1.0])
def test_certainties_are_finite(p_value: float) -> None:
    assert 0 <= chance(height(p_value, 0.05), TIMES) <= 1
