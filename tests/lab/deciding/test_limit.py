from __future__ import annotations

import math
from typing import Literal

import pytest

from lab.deciding.limit import against_limit


@pytest.mark.parametrize(
    ("base", "head", "bound", "better", "standing"),
    [
        (0.9, 0.8, 0.8, "higher", "kept"),
        (0.9, 0.79, 0.8, "higher", "broken"),
        (0.7, 0.6, 0.8, "higher", "pre-existing"),
        (0.7, 0.9, 0.8, "higher", "recovered"),
        (1.0, 1.2, 1.2, "lower", "kept"),
        (1.0, 1.3, 1.2, "lower", "broken"),
        (1.4, 1.3, 1.2, "lower", "pre-existing"),
        (1.4, 1.1, 1.2, "lower", "recovered"),
        (0.9, math.nan, 0.8, "higher", "broken"),
        (math.nan, math.nan, 0.8, "lower", "pre-existing"),
    ],
)
def test_against_limit(
    base: float, head: float, bound: float, better: Literal["higher", "lower"], standing: str
) -> None:
    assert against_limit(base, head, bound, better) == standing
