from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.deciding.betting import log_wealth


@given(st.lists(st.floats(-1, 3), max_size=50), st.permutations(range(50)))
def test_order_is_no_matter_and_nobody_goes_broke(values: list[float], order: list[int]) -> None:
    found = log_wealth(values, 1.0)
    assert math.isfinite(found)
    assert found >= len(values) * math.log(0.1) - 1e-9
    mixed = [values[place] for place in order if place < len(values)]
    assert log_wealth(mixed, 1.0) == pytest.approx(found, abs=1e-9)


def test_nothing_bet_nothing_won() -> None:
    assert log_wealth([], 1.0) == pytest.approx(0.0)
    assert log_wealth([0.0] * 10, 1.0) == pytest.approx(0.0)


def test_two_rounds_by_hand() -> None:
    wealth = sum((1 + s) * (1 - s / 2) for s in (0.1, 0.3, 0.5, 0.7, 0.9)) / 5
    assert log_wealth([1.0, -0.5], 1.0) == pytest.approx(math.log(wealth))


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.5])
def test_a_fair_game_seldom_makes_rich_whenever_one_looks(chance: float) -> None:
    random = np.random.default_rng(2)
    rich = 0
    for _ in range(1_000):
        values = np.where(random.random(300) < chance, -(1 - chance), chance).tolist()
        rich += any(log_wealth(values[:n], 1 - chance) >= math.log(20) for n in (50, 100, 200, 300))
    assert rich / 1_000 <= 0.05


def test_an_edge_pays() -> None:
    assert log_wealth([0.05] * 100, 0.95) > math.log(20)
