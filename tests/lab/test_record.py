from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lab.metrics.measure import summarise
from lab.protocol import Item, ItemScore, Kind, Metric, ModelScores, Task, TaskScores, Usage
from lab.record import RecordError, caveats, digest_of, dump, harness, key, read, record

TASK = Task("t", (Item("1", "", ("some text",)), Item("2", "", ("more",))), Kind.TEXT)
SCORES = TaskScores("t", (ItemScore("1", 2.5, 2, 9),), gap=2e-6, usage=Usage(cpu=1.5, tokens=9))
MODEL = ModelScores("head", "f" * 64, 110, "gpt2", "cpu", "float32", (SCORES,), ("odd pad token",))
VERSIONS = (("torch", "2.13.0"), ("numpy", "2.1"))


def test_there_and_back() -> None:
    made = record(MODEL, TASK, SCORES, VERSIONS, summarise(TASK, SCORES))
    assert read(dump(made)) == made
    assert read(dump(made)).digest == made.digest
    assert replace(made, dtype="bfloat16").digest != made.digest
    assert (made.n, made.of, made.level, made.gap) == (1, 2, "plain", 2e-6)
    assert made.measurements[0].metric == "bits_per_byte"
    assert made.notes == ("odd pad token", "ended early: 1 of 2 items scored")
    facts = dict(made.facts)
    assert facts["Task"] == "t (text), 1 of 2 items"
    assert facts["Libraries"] == "torch 2.13.0, numpy 2.1"
    assert facts["Scored"] == "plain, within 2.0e-06 nats of the plain way"
    assert "Data" not in facts


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[1]", b'{"model": 1}', b"\xff", b" " * 10_000_001],
    ids=["empty", "no fields", "a list", "a number", "not text", "long"],
)
def test_what_is_no_record(data: bytes) -> None:
    with pytest.raises(RecordError) as caught:
        read(data)
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_record_with_a_field_more_or_of_another_type_is_refused() -> None:
    value = json.loads(dump(record(MODEL, TASK, SCORES, VERSIONS)))
    with pytest.raises(RecordError, match="parameters"):
        read(json.dumps({**value, "parameters": "110"}).encode())


def test_whatever_a_task_says_is_in_its_digest() -> None:
    item = TASK.items[0]
    others = [
        replace(TASK, name="u"),
        replace(TASK, items=TASK.items[::-1]),
        replace(TASK, items=TASK.items[:1]),
        replace(TASK, items=(replace(item, cluster="c"), *TASK.items[1:])),
        replace(TASK, items=(replace(item, fields=(("a", "b"),)), *TASK.items[1:])),
        replace(TASK, delimiter=" "),
        replace(TASK, metrics=(Metric("bits_per_byte"),)),
        replace(TASK, generation=replace(TASK.generation, tokens=9)),
        replace(TASK, digest="d"),
    ]
    assert len({digest_of(one) for one in (TASK, *others)}) == len(others) + 1
    assert digest_of(TASK) == digest_of(replace(TASK))


def test_a_key_is_known_before_anything_runs() -> None:
    items = digest_of(TASK)
    first = key("f", items, "cpu", VERSIONS)
    assert first == key("f", items, "cpu", VERSIONS[::-1])
    others = {
        key("g", items, "cpu", VERSIONS),
        key("f", digest_of(replace(TASK, name="u")), "cpu", VERSIONS),
        key("f", items, "cuda:0", VERSIONS),
        key("f", items, "cpu", VERSIONS[:1]),
        key("f", items, "cpu", VERSIONS, dtype="bfloat16"),
    }
    assert len(others | {first}) == 6


def test_other_code_is_another_harness(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lab.record import harness\n"
        "print(harness())"
    )
    root = Path(__file__).resolve().parents[2]
    for source in [*root.glob("lab/**/*.py"), *root.glob("security/*.py")]:
        copy = tmp_path / source.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())

    def digest() -> str:
        command = [sys.executable, "-I", "-c", code, str(tmp_path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    first = digest()
    assert len(first) == 64
    with (lab / "plain.py").open("a") as file:
        file.write("# another word\n")
    assert digest() != first
    assert harness() == harness()


def test_what_makes_it_hard_to_repeat_is_said() -> None:
    assert caveats("cpu", "float32") == ()
    assert caveats("cpu", "bfloat16") == ("half precision (bfloat16): sums depend on the batch",)
    assert len(caveats("cuda:1", "float16")) == 2
    half = replace(MODEL, device="cuda:0", dtype="float16")
    assert len(record(half, TASK, SCORES, VERSIONS).notes) == 4
