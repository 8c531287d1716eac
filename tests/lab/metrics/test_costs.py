from __future__ import annotations

from dataclasses import replace

from lab.metrics.costs import usage_table
from lab.protocol import ItemScore, ModelScores, TaskScores, Usage

USED = Usage(cpu=4.0, gpu=0.0, clock=2.0, tokens=1_000, peak=7_000_000, joules=40.0)


def test_figures_of_every_task() -> None:
    task = TaskScores("t", (ItemScore("1", 1.0, 1, 1),), usage=USED)
    silent = TaskScores("u", task.items)
    model = ModelScores("m", "f", 1, "gpt2", "cpu", "float32", (task, silent))
    found = {one.metric: one for one in usage_table(model)}
    assert {name: one.value for name, one in found.items()} == {
        "tokens_per_second": 500.0,
        "cpu_seconds": 4.0,
        "peak_memory": 7_000_000.0,
        "joules": 40.0,
    }
    assert {one.task for one in found.values()} == {"t"}
    assert found["joules"].signature == "estimate"
    assert found["tokens_per_second"].higher_is_better
    assert not found["cpu_seconds"].higher_is_better
    metered = replace(task, usage=replace(USED, metered=True, gpu=3.0))
    found = {one.metric: one for one in usage_table(replace(model, tasks=(metered,)))}
    assert found["joules"].signature == "metered"
    assert found["gpu_seconds"].value == 3.0
