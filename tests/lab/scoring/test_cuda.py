"""The same code on a GPU; skipped where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.model.folder import inspect
from lab.model.load import load, settle
from lab.protocol import Item, Kind, Pace, Task, Usage
from lab.scoring.score import score
from lab.scoring.shards import replicas, score_sharded
from lab.speed.pace import pace
from lab.speed.usage import Meter
from tests.lab.models import TEXT


@pytest.fixture(autouse=True)
def gpu() -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU that CUDA shows")
    settle(threads=0)


QUESTIONS = Task(
    "q",
    tuple(
        Item(str(n), TEXT[n % 4][: 8 + n % 9], (TEXT[n % 3][:12], TEXT[(n + 1) % 4][:9]), n % 2)
        for n in range(150)
    ),
    Kind.CHOICES,
)


def test_a_gpu_scores_as_the_cpu_does(llama: Path) -> None:
    files = inspect(llama)
    slow, fast = (score(load(files, device), QUESTIONS) for device in ("cpu", "cuda:0"))
    for one, other in zip(slow.items, fast.items, strict=True):
        assert other.nats == pytest.approx(one.nats, abs=1e-3)
        assert other.correct == one.correct


def test_gpus_repeat_themselves_and_each_other(llama: Path) -> None:
    models = replicas(inspect(llama), "cuda")
    every = score_sharded(models, QUESTIONS)
    for model in models:
        alone = score_sharded([model], QUESTIONS)
        assert replace(alone, usage=Usage()) == replace(every, usage=Usage())
    assert every.usage.gpu > 0
    assert every.usage.peak > 0


def test_pace_and_usage(llama: Path) -> None:
    files = inspect(llama)
    meter = Meter("cuda:0")
    base, head = load(files, "cuda:0"), load(files, "cuda:0")
    scores = pace(base, head, Pace(rounds=10))
    assert all(seconds > 0 for pair in scores.prefill + scores.decode for seconds in pair)
    assert scores.peak[0] == scores.peak[1] >= base.parameters * 4
    used = meter.read()
    assert used.gpu > 0
    assert used.joules > 0
