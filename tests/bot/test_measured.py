"""What people read of one model's scores."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="records name its version")

from bot.exhibit import Record, Table
from bot.measured import Measured, as_json, as_text, report
from lab.protocol import Item, ItemScore, Kind, ModelScores, Task, TaskScores, Usage
from lab.speed.slowdown import Latency

TASK = Task("words", tuple(Item(str(n), "", ("some text",)) for n in range(40)), Kind.TEXT)
SCORES = TaskScores(
    "words",
    tuple(ItemScore(i.id, 9.0 + n % 3, 3, 9) for n, i in enumerate(TASK.items)),
    usage=Usage(cpu=1.5, clock=2.0, tokens=500, peak=3_000_000, joules=15),
)
MODEL = ModelScores("tiny", "f" * 64, 1234, "Llama", "cpu", "float32", (SCORES,))
FOUND = Measured(MODEL, (TASK,), (0,))


def test_lines_for_a_terminal() -> None:
    lines = as_text(FOUND).splitlines()
    assert lines[0] == "tiny: Llama, 1,234 parameters, float32 on cpu"
    assert lines[3] == "words: 40 items of kind text"
    assert "  took 1.50 s of CPU, 250 tokens/s, at most 3 MB, 15 J (estimate)" in lines
    assert f"  record {FOUND.records[0].digest[:12]}" in lines
    assert not any("latency" in line for line in lines)


def test_what_is_reused_cut_off_or_metered_is_said() -> None:
    usage = replace(SCORES.usage, gpu=0.5, metered=True)
    first = replace(SCORES, items=SCORES.items[:7], usage=usage)
    text = as_text(Measured(replace(MODEL, tasks=(first,), notes=("odd",)), (TASK,), (5,)))
    assert "words: 7 of 40 items of kind text, 5 from an earlier run\n" in text
    assert "  took 1.50 s of CPU, 0.50 s of GPU, 250 tokens/s, at most 3 MB, 15 J\n" in text
    assert "  odd\n  ended early: 7 of 40 items scored\n" in text


def test_latency_is_in_every_form() -> None:
    found = replace(FOUND, latency=Latency(0.002, 0.003, 100.0, 20))
    line = "latency: 2.0 ms (median), 3.0 ms (95th percentile) of 20 requests, writing 100 tokens/s"
    assert as_text(found).endswith(f"\n\n{line}\n")
    assert line in report(found).verdicts[0].reason
    assert json.loads(as_json(found))["latency"]["p95"] == 0.003
    silent = replace(FOUND, latency=Latency(0.002, 0.003, None, 20))
    assert "writing" not in as_text(silent)


def test_tables_link_to_their_record() -> None:
    table, kept = report(FOUND).verdicts[0].exhibits
    assert isinstance(table, Table)
    assert isinstance(kept, Record)
    assert table.record == kept.digest == FOUND.records[0].digest
    assert table.title.startswith("words: 40 items of kind text; took 1.50 s of CPU")
    assert table.rows[0][1] == "bits_per_byte"
    assert json.loads(as_json(FOUND))["records"][0]["digest"] == kept.digest
