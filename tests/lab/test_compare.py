from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lab.compare import Change, compare, decide
from lab.errors import CompareError
from lab.protocol import ItemScore, TaskScores

Numbers = Sequence[float] | np.ndarray


def texts(nats: Numbers, sizes: Sequence[int] = (), clusters: Sequence[str] = ()) -> TaskScores:
    items = tuple(
        ItemScore(
            str(n),
            float(nll),
            10,
            sizes[n] if sizes else 40,
            None,
            clusters[n] if clusters else "",
        )
        for n, nll in enumerate(nats)
    )
    return TaskScores("wiki", items)


def choices(nats: Numbers, right: str) -> TaskScores:
    items = (
        ItemScore(str(n), float(nll), 2, 4, letter == "+")
        for n, (nll, letter) in enumerate(zip(nats, right, strict=True))
    )
    return TaskScores("quiz", tuple(items))


def pair(
    shift: float, *, n: int = 60, noise: float = 1.0, seed: int = 1
) -> tuple[TaskScores, TaskScores]:
    random = np.random.default_rng(seed)
    base = random.gamma(20, 3, n)
    return texts(base), texts(np.maximum(base + shift + random.normal(0, noise, n), 0))


def verdict(base: TaskScores, head: TaskScores, tolerance: float = 0.0, see: float = 1.0) -> Change:
    [found] = decide([compare(base, head)], tolerance, see)
    return found.verdict


def test_texts_of_one_size_are_a_paired_t_test() -> None:
    base, head = pair(0.3)
    found = compare(base, head)
    unit = 40 * math.log(2)
    left = [i.nll / unit for i in base.items]
    right = [i.nll / unit for i in head.items]
    test = stats.ttest_rel(right, left, alternative="greater")
    assert found.p_worse == pytest.approx(test.pvalue)
    bounds = stats.ttest_rel(right, left).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    assert (found.base, found.head) == pytest.approx((np.mean(left), np.mean(right)))
    gaps = np.array(right) - np.array(left)
    assert found.effect == pytest.approx(gaps.mean() / gaps.std(ddof=1))
    assert found.confidence == pytest.approx(0.9)


def test_choices_are_a_paired_t_test_and_mcnemar() -> None:
    found = compare(choices([1, 2, 3, 4.5], "+++-"), choices([1.5, 2, 3.25, 6], "+--+"))
    test = stats.ttest_rel([1.5, 2, 3.25, 6], [1, 2, 3, 4.5], alternative="greater")
    assert found.p_worse == pytest.approx(test.pvalue)
    bits = 4 * math.log(2)  # every answer has four bytes
    assert (found.base, found.head) == pytest.approx((2.625 / bits, 3.1875 / bits))
    assert found.accuracy is not None
    assert (found.accuracy.base, found.accuracy.head) == (0.75, 0.5)
    assert (found.accuracy.lost, found.accuracy.gained) == (2, 1)
    assert found.accuracy.p_worse == pytest.approx(0.5)
    assert [c.id for c in found.changed] == ["3", "0", "2"]


def test_what_regresses_has_an_interval_that_leaves_out_zero() -> None:
    seen = [compare(*pair(0.2, seed=seed)) for seed in range(60)]
    assert 10 < sum(c.p_worse <= 0.05 for c in seen) < 50
    assert all((c.p_worse <= 0.05) == (c.low >= 0) for c in seen)


def test_long_texts_weigh_more() -> None:
    found = compare(texts([10, 300], (10, 300)), texts([20, 300], (10, 300)))
    assert found.difference == pytest.approx(10 / 310 / math.log(2))


def test_different_bytes_on_both_sides() -> None:
    base = texts([10.0, 20.0, 31.0], (10, 20, 30))
    head = texts([9.0, 19.0, 30.0], (9, 19, 29))  # its first token is read only
    found = compare(base, head)
    assert found.difference == pytest.approx((58 / 57 - 61 / 60) / math.log(2))
    assert abs(found.difference) < found.high - found.low


def test_a_false_alarm_is_as_rare_as_promised() -> None:
    alarms = misses = 0
    for seed in range(1_500):
        base, head = pair(0.0, n=40, seed=seed)
        found = compare(base, head)
        alarms += verdict(base, head) is Change.REGRESSED
        misses += not found.low <= 0.0 <= found.high
    # 5 % and 10 %; three standard errors of 1,500 trials are 1.7 % and 2.3 %.
    assert 0.033 <= alarms / 1_500 <= 0.067
    assert 0.077 <= misses / 1_500 <= 0.123


def test_clusters_keep_the_false_alarms_down() -> None:
    names = [str(n // 8) for n in range(160)]
    alarms = {True: 0, False: 0}
    for seed in range(400):
        random = np.random.default_rng(seed)
        base = random.gamma(20, 3, 160)
        head = base + np.repeat(random.normal(0, 1, 20), 8) + random.normal(0, 0.3, 160)
        for known in alarms:
            clusters = names if known else ()
            left, right = texts(base, (), clusters), texts(np.maximum(head, 0), (), clusters)
            alarms[known] += compare(left, right).p_worse <= 0.05
    assert alarms[True] / 400 <= 0.083
    assert alarms[False] / 400 > 0.2  # what ignoring them would cost


def test_the_detectable_change_is_found_with_the_stated_power() -> None:
    unit = 40 * math.log(2)
    shift = compare(*pair(0.0, n=50)).detectable * unit
    found = sum(verdict(*pair(shift, n=50, seed=s)) is Change.REGRESSED for s in range(500))
    assert 0.68 <= found / 500 <= 0.92  # 80 %, with the noise of one sample's error


@pytest.mark.parametrize(
    ("shift", "tolerance", "see", "expected"),
    [
        (3.0, 0.0, 1.0, Change.REGRESSED),
        (-3.0, 0.0, 1.0, Change.IMPROVED),
        (0.0, 0.0, 1.0, Change.UNCHANGED),
        (0.0, 0.0, 0.0001, Change.INCONCLUSIVE),
        (0.0, 0.0, 0.0, Change.INCONCLUSIVE),
        (3.0, 1.0, 1.0, Change.UNCHANGED),
        (3.0, 1.0, 0.0001, Change.INCONCLUSIVE),
        (-3.0, 0.0, 0.0001, Change.IMPROVED),
    ],
)
def test_verdicts(shift: float, tolerance: float, see: float, expected: Change) -> None:
    assert verdict(*pair(shift), tolerance, see) is expected


def test_tolerance_is_in_the_unit_of_the_task() -> None:
    unit = 40 * math.log(2)
    base, head = pair(3.0, noise=0.1)
    assert verdict(base, head, 2.8 / unit) is Change.REGRESSED
    assert verdict(base, head, 3.2 / unit) is Change.UNCHANGED


def test_same_scores() -> None:
    base, _ = pair(0.0)
    found = compare(base, base)
    assert (found.difference, found.changed, found.measurable) == (0.0, (), False)
    assert verdict(base, base) is Change.IDENTICAL


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (texts([10.0]), texts([90.0])),
        (texts([10.0]), texts([2.0])),
        (texts([10.0, 11.0, 12.0]), texts([10.1, 11.1, 12.1])),
        (texts([1.0, 2.0], (), ("a", "a")), texts([5.0, 9.0], (), ("a", "a"))),
    ],
    ids=["one worse", "one better", "all alike", "one cluster"],
)
def test_no_variance_is_never_a_pass(base: TaskScores, head: TaskScores) -> None:
    [found] = decide([compare(base, head)], 0.0, 1e9)
    assert found.verdict is Change.INCONCLUSIVE
    assert found.detectable == 0


def test_a_tokenizer_that_loses_text_does_not_win() -> None:
    base, head = pair(-5.0)
    lossy = replace(head, items=(replace(head.items[0], lossless=False), *head.items[1:]))
    [found] = decide([compare(base, lossy)], 0.0, 1.0)
    assert found.verdict is Change.INCONCLUSIVE
    assert "loses text in 1 of 60" in found.reason
    assert verdict(lossy, lossy) is Change.IDENTICAL  # it did so before


def test_items_needed() -> None:
    small = compare(*pair(0.0, n=50))
    [found] = decide([small], 0.0, small.detectable / 2)
    assert found.verdict is Change.INCONCLUSIVE
    assert found.items == 200
    assert "about 200 items would show" in found.reason


def test_many_tasks_share_the_error_rate() -> None:
    alone = compare(*pair(0.42))
    assert 0.005 < alone.p_worse < 0.05
    quiet = [compare(*pair(0.0, seed=s)) for s in range(40, 59)]
    assert decide([alone], 0.0, 1.0)[0].verdict is Change.REGRESSED
    together = decide([alone, *quiet], 0.0, 1.0)
    assert together[0].verdict is Change.UNCHANGED
    assert together[0].p_value == pytest.approx(min(1.0, alone.p_worse * 20), rel=0.2)
    assert together[0].detectable > decide([alone], 0.0, 1.0)[0].detectable


def test_ten_items_that_changed_most() -> None:
    base = texts([10.0] * 30)
    head = texts([10.0 + (n % 7) - 3 for n in range(30)])
    changed = compare(base, head).changed
    assert [c.id for c in changed] == ["0", "13", "14", "20", "21", "27", "28", "6", "7", "1"]
    assert (changed[0].base, changed[0].head) == (10.0, 7.0)


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (texts([]), texts([]), "no items"),
        (texts([1.0, 2.0]), texts([1.0]), "2 items scored for base, 1 for head"),
        (texts([1.0]), replace(texts([1.0]), task="other"), "share no items"),
        (texts([1.0]), texts([math.nan]), "no number"),
        (texts([math.inf]), texts([1.0]), "no number"),
        (texts([-1.0]), texts([1.0]), "no number"),
        (texts([1.0]), texts([1.0], (0,)), "no number"),
        (texts([1.0], (), ("a",)), texts([1.0], (), ("b",)), "not in both"),
        (texts([1.0]), replace(choices([1.0], "+"), task="wiki"), "texts and choices"),
    ],
)
def test_scores_that_do_not_compare(base: TaskScores, head: TaskScores, words: str) -> None:
    with pytest.raises(CompareError, match=words):
        compare(base, head)


def test_no_comparison_no_decision() -> None:
    assert decide([], 0.0, 1.0) == ()
