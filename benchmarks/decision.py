"""How often the regression check is wrong: simulated suites whose truth is known.

Run: python -m benchmarks.decision
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.compare import Change, compare, decide
from lab.protocol import ItemScore, TaskScores

RUNS = 2_000
ALPHA = 0.05
RESOLUTION = 0.1  # the policy's default, in bits per byte
BITS = np.log(2)

Numbers = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Numbers]


@dataclass(frozen=True, slots=True)
class World:
    """How the change of an item is drawn, in bits per byte of it: mean 0, deviation about 0.05.

    `together` items share half of their variance.
    """

    name: str
    draw: Draw
    items: int
    together: int = 1
    suites: int = 1


def normal(random: np.random.Generator, count: int) -> Numbers:
    """Changes as of a small retraining."""
    return random.normal(0, 0.05, count)


def heavy(random: np.random.Generator, count: int) -> Numbers:
    """Student's t with 3 degrees: now and then an item jumps."""
    return random.standard_t(3, count) * 0.03


def sparse(random: np.random.Generator, count: int) -> Numbers:
    """Nine items in ten do not move at all."""
    return np.where(random.random(count) < 0.1, random.normal(0, 0.16, count), 0.0)


def skewed(random: np.random.Generator, count: int) -> Numbers:
    """Most items gain a little, few lose a lot: the worst case for a t test."""
    return (random.exponential(1.0, count) - 1) * 0.05


def mirrored(random: np.random.Generator, count: int) -> Numbers:
    """Most items lose a little, few gain a lot."""
    return -skewed(random, count)


WORLDS = (
    World("normal, 30 items", normal, 30),
    World("normal, 200 items", normal, 200),
    World("heavy tails, 30 items", heavy, 30),
    World("heavy tails, 200 items", heavy, 200),
    World("nine in ten unmoved, 200 items", sparse, 200),
    World("skewed to losses, 30 items", skewed, 30),
    World("skewed to losses, 200 items", skewed, 200),
    World("skewed to gains, 30 items", mirrored, 30),
    World("skewed to gains, 200 items", mirrored, 200),
    World("40 clusters of 5", normal, 200, together=5),
    World("20 clusters of 10, heavy tails", heavy, 200, together=10),
    World("3 suites, heavy tails", heavy, 100, suites=3),
    World("8 suites of clusters of 4", normal, 100, together=4, suites=8),
)


def suite(
    world: World, random: np.random.Generator, name: str, shift: float
) -> tuple[TaskScores, TaskScores]:
    """Draw texts of unequal length; head differs by `shift` and the world's noise."""
    count = world.items
    sizes = np.maximum(20, random.lognormal(5.5, 0.4, count)).astype(int)
    before = random.normal(1.2, 0.2, count).clip(0.5)
    change = world.draw(random, count)
    if world.together > 1:
        shared = np.repeat(world.draw(random, count // world.together), world.together)
        change = (change + shared) / np.sqrt(2)
    after = (before + shift + change).clip(0)
    sides = []
    for bits in (before, after):
        nats = bits * sizes * BITS
        clusters = [str(n // world.together) if world.together > 1 else "" for n in range(count)]
        items = (
            ItemScore(str(n), float(nll), 50, int(size), None, cluster)
            for n, (nll, size, cluster) in enumerate(zip(nats, sizes, clusters, strict=True))
        )
        sides.append(TaskScores(name, tuple(items)))
    return sides[0], sides[1]


def rates(
    world: World, *, seed: int, shift: float = 0.0, tolerance: float = 0.0, runs: int = RUNS
) -> tuple[float, float, float]:
    """Return shares: of runs with an alarm, of suites with a miss, of intervals that miss.

    An alarm is any suite called regressed; a miss one called unchanged or better; an interval
    misses where it leaves out the truth.
    """
    random = np.random.default_rng(seed)
    alarms = misses = outside = 0
    for _ in range(runs):
        found = [
            compare(*suite(world, random, str(n), shift), alpha=ALPHA) for n in range(world.suites)
        ]
        verdicts = [d.verdict for d in decide(found, tolerance, RESOLUTION, ALPHA)]
        alarms += Change.REGRESSED in verdicts
        misses += sum(v in (Change.UNCHANGED, Change.IMPROVED) for v in verdicts)
        outside += sum(not c.low <= shift <= c.high for c in found)
    return alarms / runs, misses / runs / world.suites, outside / runs / world.suites


def main() -> None:
    """Print the measured rates; exit 1 where an honest case exceeds what is promised."""
    slack = 3 * np.sqrt(ALPHA * (1 - ALPHA) / RUNS)
    print(f"{RUNS:,} runs each; promised: false alarms {ALPHA:.0%}, intervals miss {2 * ALPHA:.0%}")
    print(f"{'nothing changed':<34}{'false alarms':>14}{'intervals miss':>16}")
    failed = False
    for number, world in enumerate(WORLDS):
        alarms, _, outside = rates(world, seed=number)
        failed |= alarms > ALPHA + slack and world.draw is not mirrored
        print(f"{world.name:<34}{alarms:>14.1%}{outside:>16.1%}")
    print(f"\n{'a loss of exactly the tolerance':<34}{'false alarms':>14}")
    for number, world in enumerate(WORLDS[1:10:4]):
        alarms, _, _ = rates(world, seed=100 + number, shift=0.02, tolerance=0.02)
        failed |= alarms > ALPHA + slack
        print(f"{world.name:<34}{alarms:>14.1%}")
    print(f"\n{'a real loss (bits per byte)':<34}{'found':>14}{'passed':>16}")
    for number, world in enumerate((WORLDS[1], WORLDS[3], WORLDS[9], WORLDS[11])):
        for shift in (0.005, 0.01, 0.02, RESOLUTION):
            found, passed, _ = rates(world, seed=200 + number, shift=shift, runs=500)
            print(f"{world.name + f', {shift:g}':<34}{found:>14.1%}{passed:>16.1%}")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
