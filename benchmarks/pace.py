"""How often the comparison of pace is wrong: a model against itself, and against a slower one.

Run: python -m benchmarks.pace
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.scoring import make_model
from lab.model.folder import ModelFiles, inspect
from lab.model.load import Model, load, settle
from lab.protocol import Pace, PaceScores
from lab.speed.pace import pace
from lab.speed.slowdown import TOLERANCE, Verdict, judge_pace, slowdown
from lab.statistics import student_tail

SAME = 60  # comparisons of a model with itself, each with a copy loaded anew
SLOWER = 30  # comparisons with one that is slower by PLANTED
PLANTED = 0.1
ALPHA = 0.05
FOUND = 0.9
ROUNDS = Pace(rounds=20)


def slack(share: float, runs: int) -> float:
    """Return two standard deviations of a share seen in so many runs."""
    return 2 * math.sqrt(share * (1 - share) / runs)


def slow_down(module: Any) -> None:
    """Make the model compute a tenth longer at every forward pass."""
    started: list[float] = []

    def begin(*_: Any) -> None:
        started.append(time.process_time())

    def end(*_: Any) -> None:
        now = time.process_time()
        until = now + PLANTED * (now - started.pop())
        while time.process_time() < until:
            pass

    module.register_forward_pre_hook(begin)
    module.register_forward_hook(end)


def in_turn(base: Model, files: ModelFiles, planted: bool) -> PaceScores:
    """Compare with a copy loaded anew: where it lies in memory is luck, too."""
    head = load(files, "cpu")
    if planted:
        slow_down(head.module)
    return pace(base, head, ROUNDS)


def one_after_the_other(base: Model, files: ModelFiles) -> float:
    """Return the p-value of "head reads slower" from all of base's runs, then all of head's."""
    import torch

    tokens = torch.arange(256)[None]
    logs = []
    for model in (base, load(files, "cpu")):
        seconds = []
        with torch.inference_mode():
            for _ in range(2 * ROUNDS.rounds + 2):
                start = time.process_time()
                model.module(input_ids=tokens, logits_to_keep=1)
                seconds.append(time.process_time() - start)
        logs.append([math.log(one) for one in seconds[2:]])  # the first two warm up
    before, after = logs
    error = math.sqrt((statistics.variance(before) + statistics.variance(after)) / len(before))
    gap = statistics.fmean(after) - statistics.fmean(before)
    return student_tail(gap / error, 2 * len(before) - 2)


def main() -> None:
    """Print the rates; exit 1 where one is not what is promised."""
    os.environ["OMP_NUM_THREADS"] = "1"
    settle(threads=1)
    with tempfile.TemporaryDirectory() as place:
        make_model(Path(place), "1M")
        files = inspect(Path(place))
        base = load(files, "cpu")
        start = time.process_time()
        failed = report_same([in_turn(base, files, planted=False) for _ in range(SAME)])
        spent = (time.process_time() - start) / SAME
        print(f"{spent:.1f} CPU-s a comparison of {ROUNDS.rounds} rounds", flush=True)
        apart = [one_after_the_other(base, files) for _ in range(SAME)]
        unpaired = sum(p <= ALPHA for p in apart)
        print(f"one after the other, t test: {unpaired} of {SAME} called slower at {ALPHA:.0%}")
        found = sum(is_slower(in_turn(base, files, planted=True)) for _ in range(SLOWER))
    print(f"{PLANTED:.0%} slower: {found} of {SLOWER} found (limit {FOUND:.0%})")
    raise SystemExit(failed or found / SLOWER < FOUND - slack(FOUND, SLOWER))


def report_same(same: list[PaceScores]) -> bool:
    """Print what comparisons of a model with itself found; return whether it is too much."""
    for name in ("prefill", "decode"):
        ratios = [slowdown(getattr(scores, name), ALPHA) for scores in same]
        spread = statistics.stdev(math.log(one.ratio) for one in ratios)
        called = sum(one.p_slower <= ALPHA for one in ratios)
        print(f"the same model, {name}: ratios spread by {spread:.1%}; without a tolerance "
              f"{called} of {SAME} called slower at {ALPHA:.0%}")  # fmt: skip
    alarms = sum(map(is_slower, same))
    print(f"the same model: {alarms} of {SAME} called slower by more than {TOLERANCE:.0%} "
          f"(limit {ALPHA:.0%})")  # fmt: skip
    return alarms / SAME > ALPHA + slack(ALPHA, SAME)


def is_slower(scores: PaceScores) -> bool:
    """Whether reading or writing is called slower."""
    timed = judge_pace(replace(scores, peak=(0, 0)), TOLERANCE, ALPHA)
    return any(judged.verdict is Verdict.SLOWER for judged in timed)


if __name__ == "__main__":
    main()
