from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.deciding.gate import Ruling
from lab.deciding.sliced import SliceDecision, judge_slices
from lab.items.slices import Slice
from lab.protocol import Gate, TaskScores
from tests.lab.sides import choices, first, pair, task_of, texts

GATE = Gate(tolerance=0.0, resolution=0.1, early=False)


def sliced(
    base: TaskScores, head: TaskScores, slices: list[Slice], gate: Gate = GATE
) -> dict[str, SliceDecision]:
    return {d.name: d for d in judge_slices([task_of(base)], [base], [head], gate, [slices])}


def parts(n: int, count: int) -> list[Slice]:
    return [Slice(str(k), tuple(range(k, n, count))) for k in range(count)]


def test_the_slice_that_lost_is_named() -> None:
    base, head = pair(0.0, n=400)
    hurt = texts([i.nll + (2.0 if n % 4 == 2 else 0.0) for n, i in enumerate(head.items)])
    found = sliced(base, hurt, parts(400, 4))
    assert {name for name, d in found.items() if d.verdict is Ruling.REGRESSED} == {"2"}
    assert found["2"].harmed == ("likelihood",)
    assert found["2"].low > 0
    assert all(found[name].verdict is Ruling.PASS for name in "013")
    assert all(d.comparison.n == 100 for d in found.values())


def test_no_verdict_on_few_items() -> None:
    base, head = pair(9.0, n=100)
    cuts = [Slice("few", tuple(range(29))), Slice("enough", tuple(range(30, 60)))]
    found = sliced(base, head, [*cuts, Slice("none", (500,))])
    assert {name: d.verdict for name, d in found.items()} == {
        "few": Ruling.INCONCLUSIVE,
        "enough": Ruling.REGRESSED,
    }
    assert (found["few"].likelihood, found["few"].harmed) == (1.0, ())
    assert sliced(base, base, cuts)["enough"].verdict is Ruling.IDENTICAL
    assert sliced(base, base, cuts)["few"].verdict is Ruling.INCONCLUSIVE


def test_lost_answers_of_a_slice() -> None:
    nats = np.random.default_rng(3).gamma(20, 3, 100)
    sides = choices(nats, "+" * 100), choices(nats + np.sin(nats) / 100, "-" * 10 + "+" * 90)
    cuts = [Slice("hurt", tuple(range(50))), Slice("whole", tuple(range(50, 100)))]
    found = sliced(*sides, cuts)
    assert found["hurt"].harmed == ("accuracy",)
    assert found["whole"].accuracy == 1.0


def test_only_what_was_scored_counts_and_early_looks_cost() -> None:
    base, head = pair(0.4, n=400)
    early = replace(GATE, early=True)
    cut = [Slice("half", tuple(range(0, 400, 2)))]
    task = task_of(base)
    [found] = judge_slices([task], [first(base, 120)], [first(head, 120)], early, [cut])
    assert found.comparison.n == 60
    alone = sliced(first(base, 120), first(head, 120), [Slice("half", tuple(range(0, 120, 2)))])
    assert found.likelihood == pytest.approx(min(1.0, 7 * alone["half"].likelihood))
    assert found.low < alone["half"].low


def test_of_the_alarms_few_are_false() -> None:
    shares = []
    for seed in range(150):
        base, head = pair(0.0, n=800, seed=seed)
        hurt = texts([i.nll + (0.5 if n % 20 < 4 else 0.0) for n, i in enumerate(head.items)])
        found = sliced(base, hurt, parts(800, 20))
        alarms = [int(name) for name, d in found.items() if d.verdict is Ruling.REGRESSED]
        shares.append(sum(name >= 4 for name in alarms) / max(1, len(alarms)))
    assert sum(shares) / 150 <= 0.065
    assert sum(shares) > 0
