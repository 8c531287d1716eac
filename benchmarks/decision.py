"""How often the gate is wrong, and what it saves: simulated suites whose truth is known.

Run: python -m benchmarks.decision
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.gate import Decision, Ruling, judge
from lab.protocol import Gate, Item, ItemScore, Kind, Task, TaskScores

RUNS = 2_000
ALPHA = 0.05
DEVIATION = 0.05  # of an item's change, in bits per byte
BITS = math.log(2)
PASSES = (Ruling.PASS, Ruling.IMPROVED, Ruling.WITHIN_TOLERANCE)

Numbers = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Numbers]


@dataclass(frozen=True, slots=True)
class World:
    """How the change of an item is drawn, in bits per byte of it: mean 0, deviation about 0.05.

    `together` items share half of their variance. Where not `kept`, no rate is promised.
    """

    name: str
    draw: Draw
    items: int
    together: int = 1
    suites: int = 1
    kept: bool = True


def normal(random: np.random.Generator, count: int) -> Numbers:
    """Changes as of a small retraining."""
    return random.normal(0, DEVIATION, count)


def heavy(random: np.random.Generator, count: int) -> Numbers:
    """Student's t with 3 degrees: now and then an item jumps."""
    return random.standard_t(3, count) * 0.03


def sparse(random: np.random.Generator, count: int) -> Numbers:
    """Nine items in ten do not move at all."""
    return np.where(random.random(count) < 0.1, random.normal(0, 0.16, count), 0.0)


def skewed(random: np.random.Generator, count: int) -> Numbers:
    """Most items gain a little, some lose a lot: what a t test passes too easily."""
    return (random.exponential(1.0, count) - 1) * DEVIATION


def mirrored(random: np.random.Generator, count: int) -> Numbers:
    """Most items lose a little, some gain a lot: what a t test blames too easily."""
    return -skewed(random, count)


def tenth(random: np.random.Generator, count: int) -> Numbers:
    """One item in ten loses, the others hardly move."""
    return lost(random, count, 0.1)


def thirtieth(random: np.random.Generator, count: int) -> Numbers:
    """Three items in a hundred lose, the others hardly move."""
    return lost(random, count, 0.03)


def lost(random: np.random.Generator, count: int, share: float) -> Numbers:
    """A share of the items loses a lot."""
    hit = random.random(count) < share
    moved = np.where(hit, random.exponential(1.0, count), random.normal(0, 0.05, count)) - share
    return moved * DEVIATION / math.sqrt(2 * share)


WORLDS = (
    World("normal, 30 items", normal, 30),
    World("normal, 200 items", normal, 200),
    World("normal, 1,000 items", normal, 1_000),
    World("heavy tails, 30 items", heavy, 30),
    World("heavy tails, 200 items", heavy, 200),
    World("nine in ten unmoved, 200 items", sparse, 200),
    World("skewed to losses, 30 items", skewed, 30),
    World("skewed to losses, 200 items", skewed, 200),
    World("skewed to gains, 30 items", mirrored, 30),
    World("skewed to gains, 200 items", mirrored, 200),
    World("one in ten loses, 200 items", tenth, 200),
    World("one in thirty loses, 200 items", thirtieth, 200, kept=False),
    World("40 clusters of 5", normal, 200, together=5),
    World("80 clusters of 5, heavy tails", heavy, 400, together=5),
    World("3 suites, heavy tails", heavy, 100, suites=3),
    World("8 suites of clusters of 2", normal, 140, together=2, suites=8),
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A task with base's scores; head's are drawn for each run."""

    task: Task
    sizes: Numbers

    def scores(self, bits: Numbers) -> TaskScores:
        """Return scores of so many bits per byte for each item."""
        nats = (bits * self.sizes * BITS).tolist()
        items = zip(self.task.items, nats, self.sizes.tolist(), strict=True)
        return TaskScores(
            self.task.name,
            tuple(ItemScore(i.id, n, 50, int(size), None, i.cluster) for i, n, size in items),
        )


def suite(world: World, random: np.random.Generator, name: str) -> Suite:
    """Draw texts of unequal length."""
    numbers = range(world.items)
    clusters = [str(n // world.together) if world.together > 1 else "" for n in numbers]
    items = tuple(Item(str(n), "", ("x",), cluster=clusters[n]) for n in numbers)
    sizes = np.maximum(20, random.lognormal(5.5, 0.4, world.items)).round()
    return Suite(Task(name, items, Kind.TEXT, digest="d"), sizes)


def sides(
    world: World, random: np.random.Generator, of: Suite, shift: float
) -> tuple[TaskScores, TaskScores]:
    """Draw both models' scores; head differs by `shift` and the world's noise."""
    before = random.normal(1.2, 0.2, world.items).clip(0.5)
    change = world.draw(random, world.items)
    if world.together > 1:
        groups = world.items // world.together
        change = (change + np.repeat(world.draw(random, groups), world.together)) / math.sqrt(2)
    return of.scores(before), of.scores((before + shift + change).clip(0))


def runs(
    world: World, gate: Gate, shift: float, count: int, seed: int
) -> list[tuple[Decision, ...]]:
    """Return the decisions of every run."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        suites = [suite(world, random, str(n)) for n in range(world.suites)]
        both = [sides(world, random, one, shift) for one in suites]
        bases, heads = zip(*both, strict=True)
        found.append(judge([one.task for one in suites], bases, heads, gate))
    return found


def share(of: Sequence[bool]) -> float:
    """Return the share of what is true."""
    return sum(of) / len(of)
