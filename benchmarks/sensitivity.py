"""How few items show damage: a real model against itself with noise on its weights.

The items are made from the texts of a suite: which line comes next, the right one or its words
in another order? That gives one likelihood and one answer each. SUITE must be of texts of
several lines.

Run: python -m benchmarks.sensitivity MODEL SUITE, after `dvc repro`:
python -m benchmarks.sensitivity examples/tiny-llm/model examples/tiny-llm/eval/held-out.jsonl
"""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import fmean, variance

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from lab.deciding.compare import compare
from lab.deciding.gate import Decision, Ruling, judge
from lab.items.order import ordered
from lab.items.suite import read_task
from lab.model.folder import SINGLE, inspect
from lab.protocol import Gate, Item, Kind, Task, TaskScores
from lab.scoring.turns import Subject, run
from lab.statistics import student_quantile

NOISES = (0.02, 0.05, 0.1)  # of each tensor's standard deviation
SEEDS = 5
LINES = 4  # of each text
FLIPS = 1_000
GATE = Gate(tolerance=0.0, resolution=0.01)
SURE = student_quantile(0.95, 10**6) + student_quantile(0.8, 10**6)  # one-sided 5 %, power 80 %


def blurred(model: Path, target: Path, noise: float, seed: int) -> Path:
    """Copy the model and add noise to every tensor."""
    shutil.copytree(model, target)
    chance = np.random.default_rng(seed)
    weights = {
        name: (tensor + chance.normal(0, noise * tensor.std(), tensor.shape)).astype(tensor.dtype)
        for name, tensor in sorted(load_file(target / SINGLE).items())
    }
    (target / SINGLE).unlink()
    save_file(weights, target / SINGLE, metadata={"format": "pt"})
    return target


def scored(model: Path, task: Task) -> TaskScores:
    """Return the model's scores."""
    found = run([Subject(model.name, inspect(model))], [task], device="cpu")
    return found.scores[0].tasks[0]


def questions(task: Task) -> Task:
    """Ask for lines of the texts, none the first, which of four comes next.

    The wrong ones are the right one with its words in another order.
    """
    chance = np.random.default_rng(0)
    items = []
    for item in task.items:
        every = item.choices[0].splitlines(keepends=True)
        for place in range(1, 1 + LINES):
            words = every[place].split() if place < len(every) else []
            mixed = [" ".join(chance.permutation(words)) + "\n" for _ in range(9)]
            wrong = [line for line in dict.fromkeys(mixed) if line != every[place]][:3]
            if len(wrong) == 3:
                name = f"{item.id}/{place}"
                context, choices = "".join(every[:place]), (every[place], *wrong)
                items.append(Item(name, context, choices, cluster=item.cluster or item.id))
    return ordered(replace(task, items=tuple(items), kind=Kind.CHOICES), len(items))


def rounded(model: Path, target: Path) -> Path:
    """Copy the model and store its weights rounded to bfloat16."""
    shutil.copytree(model, target)
    weights = {
        name: torch.from_numpy(tensor).to(torch.bfloat16).to(torch.float32).numpy()
        for name, tensor in load_file(target / SINGLE).items()
    }
    (target / SINGLE).unlink()
    save_file(weights, target / SINGLE, metadata={"format": "pt"})
    return target


def needed(base: TaskScores, heads: list[TaskScores]) -> tuple[float, float, float]:
    """Return how many items show the mean change of all heads: by paired likelihood, by paired
    accuracy, and by accuracy on two different samples. Infinite where accuracy did not fall.
    """
    gaps = [[h.nll - b.nll for b, h in zip(base.items, s.items, strict=True)] for s in heads]
    flips = [
        [float(bool(b.correct)) - float(bool(h.correct))
         for b, h in zip(base.items, s.items, strict=True)] for s in heads
    ]  # fmt: skip
    right = fmean(float(bool(b.correct)) for b in base.items)
    fall = fmean(map(fmean, flips))

    def items(spread: float, change: float) -> float:
        return spread * (SURE / change) ** 2 if change > 0 else math.inf

    return (
        items(fmean(map(variance, gaps)), fmean(map(fmean, gaps))),
        items(fmean(map(variance, flips)), fall),
        items(right * (1 - right) + (right - fall) * (1 - right + fall), fall),
    )


def decision(task: Task, base: TaskScores, head: TaskScores, gate: Gate = GATE) -> Decision:
    """Return the gate's verdict."""
    return judge([task], [base], [head], gate)[0]


def alarms(task: Task, base: TaskScores, head: TaskScores) -> float:
    """Return how often the gate blames either side when sides are swapped at random.

    Swapping both models' scores, cluster by cluster, leaves the real changes of real items and
    takes every difference between the models away.
    """
    chance = np.random.default_rng(0)
    names = sorted({item.cluster for item in base.items})
    blamed = 0
    for _ in range(FLIPS):
        swapped = dict(zip(names, (chance.random(len(names)) < 0.5).tolist(), strict=True))
        pairs = [
            (h, b) if swapped[b.cluster] else (b, h)
            for b, h in zip(base.items, head.items, strict=True)
        ]
        left, right = (replace(base, items=tuple(side)) for side in zip(*pairs, strict=True))
        blamed += decision(task, left, right).verdict is Ruling.REGRESSED
    return blamed / FLIPS


def main() -> None:
    """Print, for every noise, what shows it after how many items."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("suite", type=Path)
    options = parser.parse_args()
    task = questions(read_task(options.suite.stem, options.suite.read_bytes()))
    base = scored(options.model, task)
    right = fmean(float(bool(item.correct)) for item in base.items)
    clusters = len({item.cluster for item in base.items})
    print(f"{task.name}: {len(task.items):,} items in {clusters} clusters, accuracy {right:.1%}")
    print("        bits per byte      accuracy     items needed by      accuracy,     accuracy,")
    print(
        "noise           worse         falls   paired likelihood         paired      unpaired"
        "   gate"
    )
    with tempfile.TemporaryDirectory() as place:
        for noise in NOISES:
            heads = [
                scored(blurred(options.model, Path(place, f"{noise}-{s}"), noise, s), task)
                for s in range(SEEDS)
            ]
            found = [compare(base, head) for head in heads]
            worse = fmean(c.difference for c in found)
            falls = fmean(c.accuracy.base - c.accuracy.head for c in found if c.accuracy)
            counts = "".join(f"{n:>15,.0f}" for n in needed(base, heads))
            verdicts = [decision(task, base, head) for head in heads]
            print(f"{noise:5.0%} {worse:15.5f} {falls:13.2%}     {counts}   "
                  + ", ".join(f"{d.verdict} {d.n}" for d in verdicts))  # fmt: skip
            if noise == 0.05:
                rate = alarms(task, base, heads[0])
        cast = decision(task, base, scored(rounded(options.model, Path(place, "cast")), task),
                        Gate(early=False))  # fmt: skip
    print(f"rounded to bfloat16: {cast.verdict}, {cast.reason}")
    print(f"sides swapped at random, {FLIPS:,} times: false alarms {rate:.1%}")


if __name__ == "__main__":
    main()
