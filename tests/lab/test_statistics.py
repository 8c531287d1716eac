from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lab.statistics import (
    Mean,
    benjamini_hochberg,
    holm,
    mcnemar,
    mean,
    ratio,
    student_quantile,
    student_tail,
    wilson,
)

VALUES = [0.3, -0.2, 0.9, 0.4, 0.1, 1.3, -0.6]


def test_a_mean_is_students() -> None:
    found = ratio(VALUES, [1.0] * len(VALUES))
    right = stats.ttest_1samp(VALUES, 0.1, alternative="greater")
    assert found.value == pytest.approx(np.mean(VALUES))
    assert found.p_above(0.1) == pytest.approx(right.pvalue)
    both = stats.ttest_1samp(VALUES, 0.0).confidence_interval(0.95)
    assert found.interval(0.05) == pytest.approx((both.low, both.high))


def test_clusters_count_once() -> None:
    # The same item five times over says no more than the item.
    names = [str(n) for n in range(len(VALUES)) for _ in range(5)]
    many = ratio([v for v in VALUES for _ in range(5)], [1.0] * 35, names)
    once = ratio(VALUES, [1.0] * 7)
    assert (many.value, many.error) == pytest.approx((once.value, once.error))
    assert many.degrees == once.degrees == 6


def test_empty_cluster_names_are_alone() -> None:
    mixed = ratio(VALUES, [1.0] * 7, ["", "a", "a", "", "", "b", "b"])
    assert mixed.degrees == 4


def test_ratio_of_sums_covers_its_truth() -> None:
    # The interval of a ratio must hold where sizes vary and values go with sizes.
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(1_000):
        sizes = random.integers(20, 400, 80).astype(float)
        tops = sizes * 1.5 + np.sqrt(sizes) * random.normal(0, 2, 80)
        found = ratio(tops.tolist(), sizes.tolist()).interval(0.05)
        assert found
        hits += found[0] <= 1.5 <= found[1]
    assert 0.93 <= hits / 1_000 <= 0.97


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few(values: list[float]) -> None:
    if not values:
        with pytest.raises(ZeroDivisionError):
            ratio(values, values)
        return
    found = ratio(values, [1.0])
    assert found.interval(0.05) is None
    assert found.p_above(0.0) == 1.0


@pytest.mark.parametrize(
    ("given_", "adjusted"),
    [
        ((), ()),
        ((0.04,), (0.04,)),
        ((0.01, 0.04, 0.03), (0.03, 0.06, 0.06)),
        ((0.5, 0.9), (1.0, 1.0)),
        ((0.02, 0.02), (0.04, 0.04)),
    ],
)
def test_holm(given_: tuple[float, ...], adjusted: tuple[float, ...]) -> None:
    assert holm(given_) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_keeps_order_and_never_helps(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(p <= a <= 1 for p, a in zip(values, adjusted, strict=True))
    pairs = sorted(zip(values, adjusted, strict=True))
    assert [a for _, a in pairs] == sorted(a for _, a in pairs)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_binomial(lost: int, gained: int) -> None:
    worse, differ = mcnemar(lost, gained)
    if not lost + gained:
        assert (worse, differ) == (1.0, 1.0)
        return
    right = stats.binomtest(lost, lost + gained, alternative="greater").pvalue
    both = stats.binomtest(lost, lost + gained).pvalue
    assert (worse, differ) == pytest.approx((right, both))


def test_student() -> None:
    assert student_quantile(0.975, 10) == pytest.approx(2.228, abs=1e-3)
    assert student_tail(2.228, 10) == pytest.approx(0.025, abs=1e-4)
    assert student_tail(math.inf, 10) == 0.0


def test_wilson() -> None:
    right = stats.binomtest(7, 20).proportion_ci(0.95, method="wilson")
    assert wilson(7 / 20, 20, 0.05) == pytest.approx((right.low, right.high))
    assert wilson(0.0, 20, 0.05)[0] == 0.0


@pytest.mark.parametrize(
    ("given_", "adjusted"),
    [
        ((), ()),
        ((0.04,), (0.04,)),
        ((0.01, 0.02, 0.03, 0.5), (0.04, 0.04, 0.04, 0.5)),
        ((0.9, 0.01), (0.9, 0.02)),
    ],
)
def test_benjamini_hochberg(given_: tuple[float, ...], adjusted: tuple[float, ...]) -> None:
    assert benjamini_hochberg(given_) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_is_scipys(values: list[float]) -> None:
    assert benjamini_hochberg(values) == pytest.approx(stats.false_discovery_control(values))


def estimate(values: list[float]) -> Mean:
    middle = math.fsum(values) / len(values)
    found = mean(middle, [v - middle for v in values])
    assert found
    return found


def test_symmetric_values_of_light_tails_have_students_t() -> None:
    values = [n - 9.5 for n in range(20)]
    found = estimate(values)
    right = stats.ttest_1samp(values, -2.0, alternative="greater")
    assert found.p_above(-2.0) == pytest.approx(right.pvalue)
    assert found.p_below(2.0) == pytest.approx(right.pvalue)
    both = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert found.interval(0.05) == pytest.approx((both.low, both.high))


SPREADS = st.lists(st.floats(-5, 5), min_size=5, max_size=60).filter(lambda v: np.std(v) > 0.01)


@given(SPREADS, st.floats(-3, 3), st.floats(0.001, 0.4))
def test_a_mean_is_never_surer_than_student(
    values: list[float], bound: float, level: float
) -> None:
    found = estimate(values)
    above = stats.ttest_1samp(values, bound, alternative="greater").pvalue
    below = stats.ttest_1samp(values, bound, alternative="less").pvalue
    # With t below 0 fewer degrees make p smaller: only where something may be found it counts.
    assert found.p_above(bound) >= above - 1e-9 or above > 0.5
    assert found.p_below(bound) >= below - 1e-9 or below > 0.5
    low, high = found.interval(level)
    assert found.p_above(low) == pytest.approx(level, abs=1e-6)
    assert found.p_below(high) == pytest.approx(level, abs=1e-6)


def test_skewed_values_of_mean_zero_seldom_seem_otherwise() -> None:
    # Most units gain a little, few lose a lot; Student's t says "better" in one of 10 samples.
    random = np.random.default_rng(8)
    draws = random.exponential(1.0, (2_000, 50)) - 1
    found = sum(estimate(row.tolist()).p_below(0.0) <= 0.05 for row in draws)
    plain = (stats.ttest_1samp(draws, 0.0, axis=1, alternative="less").pvalue <= 0.05).sum()
    assert found / 2_000 <= 0.065
    assert plain / 2_000 >= 0.075


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0]])
def test_no_error_without_variance(values: list[float]) -> None:
    assert mean(values[0], [0.0] * len(values)) is None
