"""Axes: round tick values, and a scale that cannot divide by zero."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.report.numbers import drawable, number

_TINY = 1e-200  # below this a tenth of it may not be a number


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, wider than nothing, with its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def part(self, value: float) -> float:
        """Return where a value lies, 0.0 at the low end to 1.0 at the high end."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def label(self, tick: float) -> str:
        """Return a tick's text; all ticks have the same number of decimals."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 0.0
        biggest = max(abs(self.low), abs(self.high))
        if not 1e-4 <= step <= 1e5 or biggest >= 1e6:
            return number(tick)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        text = f"{tick:.{decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text


def axis(values: Iterable[float], *, zero: bool = False, margin: float = 0.06) -> Axis:
    """Return an axis that shows the values that can be drawn, and zero where asked."""
    shown = [v for v in values if drawable(v)]
    shown += [0.0] if zero or not shown else []
    low, high = min(shown), max(shown)
    size = max(abs(low), abs(high))
    if high - low > max(size * 1e-9, _TINY):
        pad = (high - low) * margin
    else:
        pad = size * 0.1 if size > _TINY else 1.0
    low, high = low - pad, high + pad
    return Axis(low, high, ticks(low, high))


def ticks(low: float, high: float, about: int = 6) -> tuple[float, ...]:
    """Return round values between low and high: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * f for f in (1.0, 2.0, 5.0, 10.0) if power * f >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(i * step for i in range(first, min(last, first + 2 * about) + 1))
