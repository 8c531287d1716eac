from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.deciding.gate import Decision, Ruling, judge
from lab.errors import CompareError
from lab.items.order import ordered, schedule
from lab.protocol import Gate, TaskScores
from tests.lab.sides import choices, decided, first, pair, task_of, texts

PASSES = (Ruling.PASS, Ruling.IMPROVED, Ruling.WITHIN_TOLERANCE)
UNIT = 40 * math.log(2)  # nats to bits per byte, of a text of 40 bytes
FIXED = Gate(tolerance=0.0, resolution=1.0, early=False)
EARLY = replace(FIXED, early=True)


@pytest.mark.parametrize(
    ("shift", "tolerance", "see", "expected"),
    [
        (3.0, 0.0, 1.0, Ruling.REGRESSED),
        (-3.0, 0.0, 1.0, Ruling.IMPROVED),
        (0.0, 0.0, 1.0, Ruling.PASS),
        (0.0, 0.0, 0.0001, Ruling.INCONCLUSIVE),
        (3.0, 1.0, 1.0, Ruling.WITHIN_TOLERANCE),
        (3.0, 1.0, 0.0001, Ruling.WITHIN_TOLERANCE),
        (3.0, 0.11, 0.0001, Ruling.INCONCLUSIVE),
        (-3.0, 0.0, 0.0001, Ruling.IMPROVED),
    ],
)
def test_verdicts(shift: float, tolerance: float, see: float, expected: Ruling) -> None:
    gate = Gate(tolerance=tolerance, resolution=see, early=False)
    found = decided(*pair(shift), gate)
    assert found.verdict is expected
    assert (found.n, found.planned, found.looks, found.settled) == (60, 60, 1, True)
    assert (found.needed > 0) is (expected is Ruling.INCONCLUSIVE)
    assert (found.harmed == ("likelihood",)) is (expected is Ruling.REGRESSED)


def test_what_regresses_has_an_interval_above_the_tolerance() -> None:
    seen = [decided(*pair(0.2, seed=seed), FIXED) for seed in range(60)]
    regressed = [d for d in seen if d.verdict is Ruling.REGRESSED]
    assert 10 < len(regressed) < 50
    assert all((d.low > 0) == (d in regressed) for d in seen)
    assert all((d.likelihood <= 0.05) == (d in regressed) for d in seen)


def test_a_pass_has_an_interval_below_what_must_be_seen() -> None:
    gate = replace(FIXED, resolution=0.2 / UNIT)
    seen = [decided(*pair(0.0, seed=seed), gate) for seed in range(60)]
    passed = [d for d in seen if d.verdict is Ruling.PASS]
    assert 5 < len(passed) < 55
    for d in seen:
        if d.verdict in (Ruling.PASS, Ruling.INCONCLUSIVE):
            assert (d.high < 0.2 / UNIT) == (d in passed)


def test_same_scores() -> None:
    base, _ = pair(0.0, n=200)
    found = decided(base, base, EARLY)
    assert (found.verdict, found.changed, found.drift) == (Ruling.IDENTICAL, (), 1.0)
    half = decided(first(base, 100), first(base, 100), EARLY, task_of(base))
    assert (half.verdict, half.settled) == (Ruling.INCONCLUSIVE, False)


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (texts([10.0]), texts([90.0])),
        (texts([10.0]), texts([2.0])),
        (texts([10.0 + n for n in range(40)]), texts([10.5 + n for n in range(40)])),
        (texts([1.0, 2.0], (), ("a", "a")), texts([5.0, 9.0], (), ("a", "a"))),
    ],
    ids=["one worse", "one better", "all alike", "one cluster"],
)
def test_no_variance_is_never_a_pass(base: TaskScores, head: TaskScores) -> None:
    found = decided(base, head, replace(FIXED, resolution=1e9))
    assert found.verdict is Ruling.INCONCLUSIVE
    assert "without variance" in found.reason
    assert (found.detectable, found.needed) == (0, 0)


def test_a_tokenizer_that_loses_text_does_not_win() -> None:
    base, head = pair(-5.0, n=200)
    lossy = replace(head, items=(replace(head.items[0], lossless=False), *head.items[1:]))
    found = decided(base, lossy, EARLY)
    assert (found.verdict, found.n, found.settled) == (Ruling.INCONCLUSIVE, 50, True)
    assert "loses text, or leaves some unscored, in 1 of 50" in found.reason
    assert decided(lossy, lossy, EARLY).verdict is Ruling.IDENTICAL  # it did so before


def test_too_few_items_never_pass() -> None:
    for n in range(2, 30):
        found = decided(*pair(0.0, n=n), FIXED)
        assert found.verdict in (Ruling.INCONCLUSIVE, Ruling.REGRESSED)
    assert found.needed == 1
    assert "29 independent items, fewer than 30" in found.reason
    assert decided(*pair(0.0, n=30), FIXED).verdict is Ruling.PASS


def test_items_needed_would_decide() -> None:
    gate = replace(FIXED, resolution=0.3 / UNIT)
    found = decided(*pair(0.15, n=50), gate)
    assert found.verdict is Ruling.INCONCLUSIVE
    assert f"about {found.needed:,} items more would tell" in found.reason
    more = [decided(*pair(0.15, n=50 + found.needed, seed=s), gate) for s in range(60)]
    assert sum(d.verdict is not Ruling.INCONCLUSIVE for d in more) > 45


def test_the_detectable_change_is_found_with_the_stated_power() -> None:
    shift = decided(*pair(0.0, n=50), FIXED).detectable * UNIT
    found = [decided(*pair(shift, n=50, seed=s), FIXED).verdict for s in range(400)]
    assert 0.68 <= found.count(Ruling.REGRESSED) / 400 <= 0.92  # 80 %, one sample's error


# Accuracy


def quiz(lost: int, gained: int, n: int = 100) -> tuple[TaskScores, TaskScores]:
    """Return scores whose likelihood hardly moves while answers flip, spread evenly."""
    nats = np.random.default_rng(3).gamma(20, 3, n)
    noise = np.random.default_rng(4).normal(0, 0.01, n)
    flips = np.random.default_rng(5).permutation(n)
    before = ["+-"[(n % 3) == 0] for n in range(n)]
    after = list(before)
    for place in flips[:lost]:
        before[place], after[place] = "+-"
    for place in flips[lost : lost + gained]:
        before[place], after[place] = "-+"
    return choices(nats, "".join(before)), choices(nats + noise, "".join(after))


def clustered(scores: TaskScores, size: int) -> TaskScores:
    items = tuple(replace(i, cluster=str(int(i.id) // size)) for i in scores.items)
    return replace(scores, items=items)


QUIZ = Gate(tolerance=0.1, resolution=0.1, early=False)


def test_lost_answers_are_harm_of_their_own() -> None:
    found = decided(*quiz(9, 1), QUIZ)
    assert (found.verdict, found.harmed) == (Ruling.REGRESSED, ("accuracy",))
    assert found.accuracy == pytest.approx(2 * 11 / 1024)  # McNemar, two tests
    assert "worse by accuracy" in found.reason
    assert decided(*quiz(5, 1), QUIZ).verdict is Ruling.PASS
    assert decided(*quiz(9, 1), replace(QUIZ, accuracy_tolerance=0.08)).harmed == ()
    assert decided(*quiz(20, 0), replace(QUIZ, accuracy_tolerance=0.08)).harmed == ("accuracy",)


def test_worse_likelihood_with_accuracy_within_noise_is_told_apart() -> None:
    base, head = quiz(1, 1)
    shifted = replace(head, items=tuple(replace(i, nll=i.nll + 2) for i in head.items))
    found = decided(base, shifted, QUIZ)
    assert (found.verdict, found.harmed) == (Ruling.REGRESSED, ("likelihood",))
    assert found.accuracy == pytest.approx(0.75)
    assert decided(*pair(3.0), FIXED).accuracy is None


def test_answers_of_one_cluster_count_once() -> None:
    nats = np.random.default_rng(3).gamma(20, 3, 100)
    sides = choices(nats, "+" * 100), choices(nats + np.sin(nats) / 100, "-" * 10 + "+" * 90)
    assert decided(*sides, QUIZ).harmed == ("accuracy",)
    base, head = (clustered(side, 10) for side in sides)
    assert decided(base, head, QUIZ).harmed == ()


def test_a_loss_of_answers_must_be_ruled_out_where_it_must_be_seen() -> None:
    gate = replace(QUIZ, accuracy_resolution=0.05)
    assert decided(*quiz(1, 1, n=300), gate).verdict in PASSES
    unseen = decided(*quiz(3, 0), gate)
    assert (unseen.verdict, unseen.harmed) == (Ruling.INCONCLUSIVE, ())
    assert unseen.needed > 0
    few = [clustered(side, 5) for side in quiz(0, 0)]
    assert decided(few[0], few[1], gate).verdict is Ruling.INCONCLUSIVE  # 20 clusters
    nats = np.random.default_rng(3).gamma(20, 3, 300)
    sides = choices(nats, "+" * 300), choices(nats + np.sin(nats) / 100, "-" * 3 + "+" * 297)
    base, head = (clustered(side, 3) for side in sides)
    assert decided(base, head, gate).verdict is Ruling.INCONCLUSIVE  # one whole cluster lost


# Several tasks


def test_many_tasks_share_the_error_rate() -> None:
    alone = pair(0.42)
    quiet = [pair(0.0, seed=s) for s in range(40, 59)]
    single = decided(*alone, FIXED)
    assert 0.005 < single.likelihood < 0.05
    bases, heads = zip(alone, *quiet, strict=True)
    together = judge([task_of(b) for b in bases], bases, heads, FIXED)[0]
    assert together.verdict is Ruling.PASS
    assert together.likelihood == pytest.approx(min(1.0, single.likelihood * 20))
    assert together.detectable > single.detectable
    assert (together.low, together.high) == (single.low, single.high)


def test_the_order_of_tasks_is_no_matter() -> None:
    sides = [pair(0.1 * s, seed=s) for s in range(6)]

    def all_of(order: list[int]) -> dict[int, Decision]:
        bases = [sides[n][0] for n in order]
        heads = [sides[n][1] for n in order]
        found = judge([task_of(b) for b in bases], bases, heads, FIXED)
        return dict(zip(order, found, strict=True))

    assert all_of([0, 1, 2, 3, 4, 5]) == all_of([4, 2, 0, 5, 1, 3])


def test_no_task_no_decision() -> None:
    assert judge([], [], [], EARLY) == ()


# Early stopping


@given(st.floats(-1, 1), st.integers(0, 1000), st.integers(150, 400))
def test_replay_is_what_an_eye_on_every_look_saw(shift: float, seed: int, n: int) -> None:
    base, head = pair(shift, n=n, seed=seed)
    task, gate = task_of(base), replace(EARLY, resolution=0.4 / UNIT)
    seen: list[Decision] = []
    for look in schedule(task, gate):
        seen.append(decided(first(base, look), first(head, look), gate, task))
        assert seen[-1].n == look
        assert seen[-1].looks == len(seen)
        if seen[-1].settled:
            break
    # More items than were needed change nothing, nor do some beyond a look.
    whole = decided(base, head, gate)
    assert replace(whole, changed=()) == replace(seen[-1], changed=())
    if seen[-1].n < n:
        beyond = seen[-1].n + 1
        again = decided(first(base, beyond), first(head, beyond), gate, task)
        assert replace(again, changed=()) == replace(whole, changed=())


@pytest.mark.parametrize(
    ("shift", "verdict", "n", "looks"),
    [
        (2.0, Ruling.REGRESSED, 50, 1),
        # Rare damage must have had its chance to show before anything passes.
        (-2.0, Ruling.IMPROVED, 181, 4),
        (0.0, Ruling.PASS, 181, 4),
    ],
)
def test_a_clear_answer_comes_early(shift: float, verdict: Ruling, n: int, looks: int) -> None:
    found = decided(*pair(shift, n=1000), replace(EARLY, resolution=1.5 / UNIT))
    assert (found.verdict, found.n, found.looks, found.planned) == (verdict, n, looks, 1000)


def test_what_passed_early_stays_passed_when_other_tasks_fall() -> None:
    gate = replace(EARLY, resolution=0.3 / UNIT)
    quiet, worse = pair(0.0, n=400, seed=9), pair(3.0, n=400)

    def beside(
        edge: tuple[TaskScores, TaskScores], other: tuple[TaskScores, TaskScores]
    ) -> Decision:
        bases, heads = zip(edge, other, strict=True)
        return judge([task_of(base) for base in bases], bases, heads, gate)[0]

    edges = (pair(0.12, n=400, seed=seed) for seed in range(2_000))
    found = ((edge, beside(edge, quiet)) for edge in edges)
    edge, passed = next(
        (edge, d) for edge, d in found if d.n < 400 and 0.05 < d.likelihood < 0.1 and d.settled
    )
    assert passed.verdict in PASSES
    again = beside(edge, worse)
    assert again.likelihood <= 0.05  # Holm's method alone would call it
    assert again.verdict in PASSES


def test_nothing_scored_or_no_look_reached_is_inconclusive() -> None:
    base, head = pair(3.0, n=200)
    task = task_of(base)
    none = decided(first(base, 0), first(head, 0), EARLY, task)
    assert (none.verdict, none.settled, none.comparison) == (Ruling.INCONCLUSIVE, False, None)
    few = decided(first(base, 49), first(head, 49), EARLY, task)
    assert (few.verdict, few.settled, few.n, few.looks) == (Ruling.INCONCLUSIVE, False, 49, 0)
    assert "49 of 200 items scored" in few.reason


def test_scores_of_other_items_are_refused() -> None:
    base, head = pair(0.0, n=60)
    task = task_of(base)
    skipped = [replace(s, items=s.items[1:]) for s in (base, head)]
    with pytest.raises(CompareError, match="not of its first items"):
        decided(skipped[0], skipped[1], EARLY, task)
    with pytest.raises(CompareError, match="not of its first items"):
        decided(base, head, EARLY, replace(task, items=task.items[:-1]))
    with pytest.raises(CompareError, match="60 items scored for base, 59 for head"):
        decided(base, first(head, 59), EARLY, task)


# Properties


NOISES = st.lists(st.floats(-5, 5), min_size=30, max_size=80).filter(
    lambda values: np.std(values) > 0.01
)


def sides_of(noise: list[float], shift: float) -> tuple[TaskScores, TaskScores]:
    base = [60.0 + n % 7 for n in range(len(noise))]
    return texts(base), texts([b + e + shift for b, e in zip(base, noise, strict=True)])


@given(NOISES, st.floats(-2, 2), st.floats(0, 3))
def test_more_loss_never_passes_what_regressed(
    noise: list[float], shift: float, more: float
) -> None:
    less = decided(*sides_of(noise, shift), FIXED)
    worse = decided(*sides_of(noise, shift + more), FIXED)
    assert worse.likelihood <= less.likelihood + 1e-9
    if less.verdict is Ruling.REGRESSED:
        assert worse.verdict is Ruling.REGRESSED


@given(NOISES, st.floats(-2, 2))
def test_swapped_sides_mirror(noise: list[float], shift: float) -> None:
    base, head = sides_of(noise, shift)
    one, other = decided(base, head, FIXED), decided(head, base, FIXED)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)
    assert one.drift == pytest.approx(other.drift)
    swapped = {Ruling.REGRESSED: Ruling.IMPROVED, Ruling.IMPROVED: Ruling.REGRESSED}
    if one.verdict in swapped and other.verdict is not Ruling.INCONCLUSIVE:
        assert other.verdict is swapped[one.verdict]


@given(st.integers(0, 100))
def test_order_within_a_look_is_no_matter(seed: int) -> None:
    base, head = pair(0.2, n=60, seed=seed)
    places = np.random.default_rng(seed).permutation(60)
    mixed = [replace(s, items=tuple(s.items[p] for p in places)) for s in (base, head)]
    one, other = decided(base, head, FIXED), decided(mixed[0], mixed[1], FIXED)
    assert one.verdict is other.verdict
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-12)


def test_ordered_scores_can_be_judged_in_prefixes() -> None:
    base, head = pair(3.0, n=300)
    task = ordered(task_of(base), 200)
    where = {item.id: place for place, item in enumerate(base.items)}
    sides = [
        replace(s, items=tuple(s.items[where[i.id]] for i in task.items)) for s in (base, head)
    ]
    assert decided(first(sides[0], 50), first(sides[1], 50), EARLY, task).settled
