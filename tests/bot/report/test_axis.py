from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exhibit import Interval, IntervalPlot
from bot.report.axis import axis, ticks
from bot.report.numbers import interval_words, number


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (-3.0, 7.0, (-2.0, 0.0, 2.0, 4.0, 6.0)),
        (0.0, 43.0, (0.0, 10.0, 20.0, 30.0, 40.0)),
    ],
)
def test_ticks_are_round(low: float, high: float, shown: tuple[float, ...]) -> None:
    assert ticks(low, high) == pytest.approx(shown)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ((-0.082, 0.101), ["-0.05", "0.00", "0.05", "0.10"]),
        ((0.0, 100.0), ["0", "20", "40", "60", "80", "100"]),
        ((0.0, 2e7), ["0", "5e+06", "1e+07", "1.5e+07", "2e+07"]),
    ],
)
def test_tick_labels_have_the_same_decimals(values: tuple[float, ...], labels: list[str]) -> None:
    scale = axis(values)
    assert [scale.label(t) for t in scale.ticks] == labels


@given(st.lists(st.floats(), max_size=5), st.booleans())
def test_every_axis_can_be_drawn(values: list[float], zero: bool) -> None:
    scale = axis(values, zero=zero)
    assert math.isfinite(scale.low)
    assert scale.low < scale.high
    assert len(scale.ticks) <= 12
    for value in (*values, *scale.ticks):
        if math.isfinite(value):
            assert 0.0 <= scale.part(value) <= 1.0
    assert all(scale.label(t) for t in scale.ticks)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "0"), (0.01234567, "0.01235"), (math.nan, "n/a"), (-math.inf, "n/a")],
)
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


def test_intervals_share_their_decimals() -> None:
    intervals = (Interval("a", -0.00004, 0.05, 0.1), Interval("b", math.nan, 2e-7, 0.25))
    words = interval_words(IntervalPlot("t", "u", intervals))
    assert [(w.estimate, w.span) for w in words] == [
        ("+0.0500", "[0.0000, +0.1000]"),
        ("0.0000", "[n/a, +0.2500]"),
    ]
