from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.errors import CompareError, SuiteError
from lab.metrics.changes import changes
from lab.metrics.measure import metrics, summarise
from lab.model.folder import inspect
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores
from lab.scoring.turns import Subject, run
from lab.scoring.unigram import unigram
from tests.lab.models import TEXT, make_model

TASK = Task(
    "held-out", tuple(Item(str(n), "", (TEXT[n % 4] + TEXT[n % 3],)) for n in range(12)), Kind.TEXT
)


def texts(rows: list[tuple[float, int, int]]) -> tuple[Task, TaskScores]:
    items = tuple(Item(str(n), "", ("two words",)) for n in range(len(rows)))
    scores = tuple(ItemScore(str(n), *row) for n, row in enumerate(rows))
    return Task("t", items, Kind.TEXT), TaskScores("t", scores)


def choices(
    right: str, cluster: str = "", fields: tuple[tuple[str, str], ...] = ()
) -> tuple[Task, TaskScores]:
    """Two choices each; "1" is an item answered rightly; clusters by letter, "-" for none."""
    clusters = ["" if c == "-" else c for c in cluster.ljust(len(right), "-")]
    items = tuple(
        Item(str(n), "p", ("yes", "no"), n % 2, name, fields) for n, name in enumerate(clusters)
    )
    scores = tuple(
        ItemScore(i.id, 1.0 + n, 1, 1, one == "1", i.cluster)
        for n, (i, one) in enumerate(zip(items, right, strict=True))
    )
    return Task("q", items, Kind.CHOICES), TaskScores("q", scores)


def test_texts_in_numbers() -> None:
    bits, tokens, words, sizes = summarise(*texts([(10.0, 5, 20), (30.0, 10, 40), (5.0, 5, 20)]))
    assert (bits.metric, bits.n) == ("bits_per_byte", 3)
    assert bits.value == pytest.approx(45 / 80 / math.log(2))
    assert bits.low is not None
    assert bits.high is not None
    assert bits.low < bits.value < bits.high
    assert not bits.higher_is_better
    assert tokens.value == pytest.approx(math.exp(45 / 20))
    assert tokens.low is not None
    assert 0 < tokens.low < tokens.value
    assert words.value == pytest.approx(math.exp(45 / 6))
    assert sizes.value == pytest.approx(math.exp(45 / 80))


def test_choices_in_numbers() -> None:
    accuracy, bits = summarise(*choices("1110"))[:2]
    assert (accuracy.metric, accuracy.value) == ("accuracy", 0.75)
    assert accuracy.higher_is_better
    assert accuracy.low == pytest.approx(0.3006, abs=1e-4)
    assert bits.metric == "bits_per_byte"
    assert bits.value == pytest.approx(2.5 / math.log(2))
    wide = summarise(*choices("1110", "aabb"))[0]
    assert (wide.low, wide.high) == (0.0, 1.0)
    sure = summarise(*choices("1111", "aabb"))[0]
    assert sure.low == pytest.approx(0.3424, abs=1e-4)  # two clusters say little
    assert sure.high == 1.0


def test_too_few_to_tell() -> None:
    for found in summarise(*texts([(10.0, 5, 20)])):
        assert (found.low, found.high) == (None, None)
    assert summarise(*texts([])) == ()


def test_metrics_are_numbers_by_task_and_name() -> None:
    table = metrics(summarise(*texts([(10.0, 5, 20), (5e6, 1, 20)])))
    assert list(table) == ["t"]
    assert set(table["t"]) == {
        "bits_per_byte",
        "token_perplexity",
        "word_perplexity",
        "byte_perplexity",
    }
    json.dumps(table, allow_nan=False)


def test_slices_are_measured_by_the_main_metrics() -> None:
    task, scores = choices("1101" * 15)
    items = tuple(
        replace(item, fields=(("half", "first" if n < 40 else "last"),))
        for n, item in enumerate(task.items)
    )
    found = summarise(replace(task, items=items), scores)
    parts = {(one.slice, one.metric): one for one in found if one.slice}
    assert {metric for _, metric in parts} == {"accuracy", "bits_per_byte"}
    first, last = parts["half=first", "accuracy"], parts["half=last", "accuracy"]
    assert (first.n, last.n) == (40, 20)
    assert first.value == last.value == 0.75
    assert first.low is not None  # 30 items or more
    assert (last.low, last.high) == (None, None)
    assert metrics(found) == metrics(summarise(task, scores))


def test_scores_of_the_first_items_are_enough() -> None:
    task, scores = choices("1101" * 15, fields=(("a", "b"),))
    some = replace(scores, items=scores.items[:8])
    found = summarise(task, some)
    assert {one.n for one in found if one.metric == "accuracy"} == {8}
    with pytest.raises(CompareError, match="not of this task's items"):
        summarise(task, replace(scores, items=scores.items[1:]))
    with pytest.raises(CompareError, match="not of this task's items"):
        summarise(replace(task, name="other"), scores)


def test_a_trained_model_beats_its_unigrams_and_damage_shows(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "base", hidden_size=48, initializer_range=0.02)
    untrained = scored(folder)
    train(folder)
    trained = scored(folder)
    baseline = unigram(inspect(folder), TEXT, TASK)
    assert [i.tokens for i in baseline.items] == [i.tokens for i in trained.items]
    values = [summarise(TASK, s)[0].value for s in (trained, baseline, untrained)]
    assert values[0] < 0.8 * values[1]
    assert values[1] < values[2]
    damage, gain = changes(TASK, trained, untrained)[0], changes(TASK, untrained, trained)[0]
    assert damage.metric == gain.metric == "bits_per_byte"
    assert damage.low is not None
    assert damage.low > 0
    assert gain.high is not None
    assert gain.high < 0


def scored(folder: Path) -> TaskScores:
    return run([Subject("m", inspect(folder))], [TASK], device="cpu").scores[0].tasks[0]


def train(folder: Path) -> None:
    """Fit the model in the folder to the text, a little."""
    import torch
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    wrapper: Any = transformers.PreTrainedTokenizerFast
    tokenizer, module = wrapper.from_pretrained(str(folder)), auto.from_pretrained(str(folder))
    rows = [[0, *tokenizer(text)["input_ids"]][:48] for text in TEXT]
    tokens = torch.tensor([row + [0] * (48 - len(row)) for row in rows])
    optimiser = torch.optim.AdamW(module.parameters(), lr=5e-3)
    for _ in range(40):
        loss = module(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    module.save_pretrained(str(folder))


def test_unigram_counts_plus_one(llama: Path) -> None:
    files = inspect(llama)
    blank = unigram(files, [], TASK)
    for item in blank.items:
        assert item.nll == pytest.approx(item.tokens * math.log(320))
    with pytest.raises(SuiteError, match="for texts"):
        unigram(files, [], Task("q", (Item("a", "p", ("x", "y")),), Kind.CHOICES))


def test_no_torch_until_a_model_is_loaded() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import lab.deciding.gate, lab.items.suite, lab.metrics.changes, lab.metrics.measure\n"
        "import lab.scoring.unigram, lab.wire, lab.worker\n"
        "assert not {'torch', 'transformers', 'numpy', 'scipy', 'sacrebleu'} & sys.modules.keys()"
    )
    root = str(Path(__file__).resolve().parents[3])
    subprocess.run([sys.executable, "-I", "-c", code, root], check=True)
