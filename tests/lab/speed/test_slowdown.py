from __future__ import annotations

import math
import random

import pytest

from lab.protocol import PaceScores
from lab.speed.slowdown import Verdict, judge_pace, latency_of, slowdown

Pairs = tuple[tuple[float, float], ...]


def rounds(ratio: float, count: int = 30, noise: float = 0.02, seed: int = 0) -> Pairs:
    chance = random.Random(seed)
    drift = [1 + 0.3 * math.sin(n / 3) for n in range(count)]  # a machine that comes and goes
    return tuple((d, d * ratio * math.exp(chance.gauss(0, noise))) for d in drift)


def test_the_ratio_in_numbers() -> None:
    # Wilcoxon's table: with 10 rounds, a sum of at most 10 has one-sided 5 % (P = 0.0420).
    logs = [n / 100 for n in range(1, 11)]
    found = slowdown([(1.0, math.exp(n)) for n in logs], alpha=0.05)
    averages = sorted((a + b) / 2 for i, a in enumerate(logs) for b in logs[i:])
    assert found.ratio == pytest.approx(math.exp(0.055))
    assert found.low == pytest.approx(math.exp(averages[10]))
    assert found.high == pytest.approx(math.exp(averages[-11]))
    assert found.p_slower == 1 / 1024
    assert found.rounds == 10


def test_equal_times_are_no_slowdown() -> None:
    found = slowdown([(1.0, 1.0)] * 12)
    assert (found.ratio, found.low, found.high) == (1.0, 1.0, 1.0)
    assert found.p_slower > 0.4


def test_scipy_agrees_on_the_p_value() -> None:
    from scipy.stats import wilcoxon

    for seed in range(5):
        pairs = rounds(1.01, 14, seed=seed)
        logs = [math.log(head / base) for base, head in pairs]
        theirs = wilcoxon(logs, alternative="greater", method="exact").pvalue
        assert slowdown(pairs).p_slower == pytest.approx(theirs, abs=1e-12)


def test_disturbed_rounds_move_it_little() -> None:
    calm = slowdown(rounds(1.1))
    disturbed = [(b, 5 * h) if n % 10 == 0 else (b, h) for n, (b, h) in enumerate(rounds(1.1))]
    assert slowdown(disturbed).ratio == pytest.approx(calm.ratio, rel=0.02)


def test_too_few_rounds_tell_nothing() -> None:
    found = slowdown(rounds(2.0, 3))
    assert (found.low, found.high) == (0.0, math.inf)
    judged = judge_pace(PaceScores(rounds(2.0, 3), ()))[0]
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.detectable == math.inf
    assert judged.reason.isprintable()


@pytest.mark.parametrize(
    ("ratio", "noise", "verdict"),
    [
        (1.10, 0.02, Verdict.SLOWER),
        (1.00, 0.02, Verdict.UNCHANGED),
        (1.02, 0.01, Verdict.UNCHANGED),
        (0.90, 0.02, Verdict.FASTER),
        (1.00, 0.30, Verdict.INCONCLUSIVE),
        (1.05, 0.10, Verdict.INCONCLUSIVE),
    ],
)
def test_verdicts(ratio: float, noise: float, verdict: Verdict) -> None:
    scores = PaceScores(rounds(ratio, noise=noise), rounds(1.0, noise=0.001))
    prefill, decode = judge_pace(scores)
    assert (prefill.quantity, decode.quantity) == ("prefill", "decode")
    assert prefill.verdict is verdict
    assert decode.verdict is Verdict.UNCHANGED


def test_what_would_have_shown_is_stated() -> None:
    judged = judge_pace(PaceScores(rounds(1.02, noise=0.1), ()), tolerance=0.03)[0]
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert 1.05 < judged.detectable < 1.2
    assert f"only {judged.detectable - 1:.0%} would have shown" in judged.reason


@pytest.mark.parametrize(
    ("peak", "verdict"),
    [
        ((100, 100), Verdict.UNCHANGED),
        ((100, 103), Verdict.UNCHANGED),
        ((100, 110), Verdict.LARGER),
        ((100, 90), Verdict.SMALLER),
    ],
)
def test_memory(peak: tuple[int, int], verdict: Verdict) -> None:
    judged = judge_pace(PaceScores((), (), peak))
    assert [(j.quantity, j.verdict) for j in judged] == [("memory", verdict)]


def test_error_rates() -> None:
    """False alarms at no tolerance, and a slowdown of a tenth, as noisy as a shared machine."""
    chance = random.Random(1)
    alarms = found = misses = 0
    for _ in range(400):
        noise = [chance.gauss(0, 0.08) * (5 if chance.random() < 0.05 else 1) for _ in range(30)]
        null = slowdown([(1.0, math.exp(n)) for n in noise])
        alarms += null.p_slower <= 0.05
        misses += not null.low <= 1 <= null.high
        slow = PaceScores(tuple((1.0, 1.1 * math.exp(n)) for n in noise), ())
        found += judge_pace(slow)[0].verdict is Verdict.SLOWER
    assert alarms <= 0.05 * 400 + 13  # three standard deviations
    assert misses <= 0.10 * 400 + 18
    assert found >= 0.9 * 400


def test_latency_in_numbers() -> None:
    reads = [n / 100 for n in range(1, 21)]
    found = latency_of(reads, [0.5] * 20, written=8)
    assert found.p50 == pytest.approx(0.605)
    assert found.p95 == pytest.approx(0.69)
    assert found.tokens_per_second == pytest.approx(16)
    assert latency_of(reads).tokens_per_second is None
    assert latency_of(reads).requests == 20
