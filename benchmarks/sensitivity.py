"""How few items show damage: a model against itself with noise on its weights.

Run: python -m benchmarks.sensitivity MODEL SUITE, after `dvc repro`:
python -m benchmarks.sensitivity examples/tiny-llm/model examples/tiny-llm/eval/held-out.jsonl
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from lab.compare import Comparison, compare
from lab.folder import SINGLE, inspect
from lab.measure import measure
from lab.protocol import Task, TaskScores
from lab.suite import read_task

NOISES = (0.01, 0.02, 0.05, 0.1, 0.2)  # of each tensor's standard deviation
SEEDS = 5


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
    return measure(model.name, inspect(model), [task], "cpu").tasks[0]


def t(found: Comparison) -> float:
    """Return Student's t of the paired difference."""
    return found.difference / found.mean.error if found.mean else 0.0


def main() -> None:
    """Print difference and t for every noise and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("suite", type=Path)
    options = parser.parse_args()
    task = read_task(options.suite.stem, options.suite.read_bytes())
    base = scored(options.model, task)
    print(f"{task.name}, n = {len(task.items)}")
    print("noise   bits per byte worse   t of each seed")
    with tempfile.TemporaryDirectory() as place:
        for noise in NOISES:
            found = [
                compare(base, scored(blurred(options.model, Path(place, f"{noise}-{s}"), noise, s),
                                     task))
                for s in range(SEEDS)
            ]  # fmt: skip
            mean = sum(c.difference for c in found) / SEEDS
            print(f"{noise:5.0%} {mean:21.5f}   " + "  ".join(f"{t(c):+.1f}" for c in found))


if __name__ == "__main__":
    main()
