from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.compare import Change, compare, decide
from lab.errors import SuiteError
from lab.folder import inspect
from lab.measure import measure, metrics, summarise
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores
from lab.unigram import unigram
from tests.lab.models import TEXT, make_model

TASK = Task(
    "held-out", tuple(Item(str(n), "", (TEXT[n % 4] + TEXT[n % 3],)) for n in range(12)), Kind.TEXT
)


def texts(rows: list[tuple[float, int, int]]) -> TaskScores:
    return TaskScores("t", tuple(ItemScore(str(n), *row) for n, row in enumerate(rows)))


def test_texts_in_numbers() -> None:
    bits, perplexity = summarise(texts([(10.0, 5, 20), (30.0, 10, 40), (5.0, 5, 20)]))
    assert (bits.metric, bits.n) == ("bits_per_byte", 3)
    assert bits.value == pytest.approx(45 / 80 / math.log(2))
    assert bits.low is not None
    assert bits.high is not None
    assert bits.low < bits.value < bits.high
    assert perplexity.value == pytest.approx(math.exp(45 / 20))
    assert perplexity.low is not None
    assert 0 < perplexity.low < perplexity.value


def test_choices_in_numbers() -> None:
    items = tuple(ItemScore(str(n), 1.0 + n, 1, 1, n < 3) for n in range(4))
    accuracy, bits = summarise(TaskScores("q", items))
    assert (accuracy.metric, accuracy.value) == ("accuracy", 0.75)
    assert accuracy.low == pytest.approx(0.3006, abs=1e-4)
    assert bits.metric == "bits_per_byte"
    assert bits.value == pytest.approx(2.5 / math.log(2))
    halves = tuple(replace(item, cluster="c" + str(n // 2)) for n, item in enumerate(items))
    wide = summarise(TaskScores("q", halves))[0]
    assert (wide.low, wide.high) == (0.0, 1.0)
    perfect = tuple(replace(item, correct=True) for item in halves)
    sure = summarise(TaskScores("q", perfect))[0]
    assert sure.low == pytest.approx(0.3424, abs=1e-4)  # two clusters say little
    assert sure.high == 1.0


def test_too_few_to_tell() -> None:
    for found in summarise(texts([(10.0, 5, 20)])):
        assert (found.low, found.high) == (None, None)
    assert summarise(TaskScores("t", ())) == ()


def test_metrics_are_numbers_by_task_and_name() -> None:
    table = metrics(summarise(texts([(10.0, 5, 20), (5e6, 1, 20)])))
    assert list(table) == ["t"]
    assert set(table["t"]) == {"bits_per_byte", "token_perplexity"}
    json.dumps(table, allow_nan=False)


def test_a_trained_model_beats_its_unigrams_and_damage_shows(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "base", hidden_size=48, initializer_range=0.02)
    untrained = measure("start", inspect(folder), [TASK], "cpu").tasks[0]
    train(folder)
    files = inspect(folder)
    trained = measure("base", files, [TASK], "cpu").tasks[0]
    baseline = unigram(files, TEXT, TASK)
    assert [i.tokens for i in baseline.items] == [i.tokens for i in trained.items]
    values = [summarise(s)[0].value for s in (trained, baseline, untrained)]
    assert values[0] < 0.8 * values[1]
    assert values[1] < values[2]
    found = decide([compare(trained, untrained)], 0.0, 1.0)[0]
    assert found.verdict is Change.REGRESSED
    assert decide([compare(untrained, trained)], 0.0, 1.0)[0].verdict is Change.IMPROVED


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
        "import lab.compare, lab.measure, lab.suite, lab.wire, lab.worker, lab.unigram\n"
        "assert not {'torch', 'transformers', 'numpy', 'scipy'} & sys.modules.keys()"
    )
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run([sys.executable, "-I", "-c", code, root], check=True)
