from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from lab.metrics.tally import Corpus, Ratio, independent, seed_of


def corpus(values: Sequence[float]) -> Corpus:
    """The mean, by the bootstrap."""
    return Corpus("mean", tuple((v, 1.0) for v in values), lambda sums: sums[0] / sums[1])


def plain(values: Sequence[float]) -> Ratio:
    return Ratio("mean", tuple(values), (1.0,) * len(values))


def width(bounds: tuple[float, float] | None) -> float:
    assert bounds is not None
    return bounds[1] - bounds[0]


def test_the_bootstrap_agrees_with_student_and_repeats() -> None:
    rng = random.Random(5)
    values = [rng.gauss(10, 2) for _ in range(200)]
    alone = [""] * 200
    drawn = corpus(values).interval(alone, 0.05, seed=1)
    assert drawn == corpus(values).interval(alone, 0.05, seed=1)
    assert drawn != corpus(values).interval(alone, 0.05, seed=2)
    assert width(drawn) == pytest.approx(width(plain(values).interval(alone, 0.05, 1)), rel=0.1)


def test_items_alike_count_together_and_change_no_draw() -> None:
    few = [float(n % 3) for n in range(60)]
    apart = Corpus(  # the same sums, in rows that all differ
        "mean",
        tuple((v, 1.0, 1e-9 * n) for n, v in enumerate(few)),
        lambda sums: sums[0] / sums[1],
    )
    alone = [""] * 60
    expected = apart.interval(alone, 0.05, 1)
    assert corpus(few).interval(alone, 0.05, 1) == pytest.approx(expected)


def test_clusters_are_drawn_whole() -> None:
    rng = random.Random(5)
    values = [value for _ in range(40) for value in [rng.gauss(10, 2)] * 5]
    clusters = [f"c{n // 5}" for n in range(200)]
    drawn = corpus(values).interval(clusters, 0.05, 1)
    expected = plain(values).interval(clusters, 0.05, 1)
    assert width(drawn) == pytest.approx(width(expected), rel=0.15)
    assert width(drawn) > 1.5 * width(corpus(values).interval([""] * 200, 0.05, 1))
    mixed = ["", *clusters[1:]]
    assert independent(mixed) == 41
    assert corpus(values).interval(["c"] * 200, 0.05, 1) is None


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(11)
    held = {"ratio": 0, "share": 0, "corpus": 0}
    runs, alone = 200, [""] * 60
    for run in range(runs):
        sizes = [rng.randint(1, 9) for _ in range(60)]
        tops = [size * rng.gauss(2, 1) for size in sizes]
        flips = tuple(float(rng.random() < 0.9) for _ in range(60))
        found: dict[str, tuple[Ratio | Corpus, float]] = {
            "ratio": (Ratio("m", tuple(tops), tuple(map(float, sizes))), 2.0),
            "share": (Ratio("m", flips, (1.0,) * 60, "share"), 0.9),
            "corpus": (corpus([rng.gauss(0, 1) for _ in range(60)]), 0.0),
        }
        for name, (tally, truth) in found.items():
            bounds = tally.interval(alone, 0.1, run)
            assert bounds is not None
            held[name] += bounds[0] <= truth <= bounds[1]
    # 90 % of 200 within four standard errors.
    assert all(0.815 < count / runs < 0.985 for count in held.values()), held


def test_pairs_tell_what_single_runs_do_not() -> None:
    rng = random.Random(2)
    base = [rng.gauss(10, 5) for _ in range(100)]
    head = [value + rng.gauss(0.2, 0.1) for value in base]
    alone = [""] * 100
    for before, after in ((corpus(base), corpus(head)), (plain(base), plain(head))):
        assert width(before.interval(alone, 0.05, 1)) > 1
        bounds = before.change(after, alone, 0.05, 1)  # type: ignore[arg-type]
        assert bounds is not None
        assert 0.15 < bounds[0] < 0.2 < bounds[1] < 0.25


def test_a_change_of_perplexity_is_one_of_perplexity() -> None:
    rng = random.Random(2)
    nats = [rng.gauss(2, 0.1) for _ in range(400)]
    ones = (1.0,) * 400
    base = Ratio("perplexity", tuple(nats), ones, "perplexity")
    head = Ratio("perplexity", tuple(n + rng.gauss(0.01, 0.01) for n in nats), ones, "perplexity")
    bounds = base.change(head, [""] * 400, 0.05, 1)
    assert bounds is not None
    # The nats move by 0.01 with a standard error of 0.01 / 20, the perplexity by itself times that.
    assert head.value - base.value == pytest.approx(0.01 * base.value, rel=0.15)
    assert width(bounds) == pytest.approx(2 * 1.97 * base.value * 0.01 / 20, rel=0.15)


def test_no_error_can_be_told() -> None:
    same = plain([1.0, 2.0, 3.0])
    assert same.change(same, [""] * 3, 0.05, 1) is None
    assert same.change(plain([1.1, 2.1, 3.1]), [""] * 3, 0.05, 1) is None  # but for rounding
    assert corpus([1.0, 2.0]).change(corpus([1.0, 2.0]), [""] * 2, 0.05, 1) is None
    nothing = Ratio("precision", (0.0,) * 3, (0.0,) * 3, "share")
    assert (nothing.value, nothing.n) == (0.0, 0)
    assert nothing.interval([""] * 3, 0.05, 1) is None
    assert nothing.change(same, [""] * 3, 0.05, 1) is None
    huge = Ratio("perplexity", (1e9, 1e8), (1.0, 1.0), "perplexity")
    assert math.isfinite(huge.value)
    assert (
        huge.change(Ratio("perplexity", (1e9, 9e8), (1.0, 1.0), "perplexity"), ["", ""], 0.05, 1)
        is None
    )


def test_a_perplexity_beyond_numbers_has_no_interval_in_clusters() -> None:
    """Long targets of a broken model come to thousands of nats an item."""
    clusters = [f"c{n // 3}" for n in range(60)]
    broken = Ratio(
        "perplexity", tuple(1e6 * (1 + n % 3) for n in range(60)), (1.0,) * 60, "perplexity"
    )
    sound = Ratio("perplexity", (2.0,) * 60, (1.0,) * 60, "perplexity")
    assert sound.change(broken, clusters, 0.05, 1) is None
    assert broken.change(sound, clusters, 0.05, 1) is None


def test_a_seed_is_the_names() -> None:
    assert seed_of("arc") == seed_of("arc") != seed_of("mmlu")
