"""Classifiers: against transformers' own tokenizer and forward pass, one text at a time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Item, Kind, Task
from lab.scoring.classify import LabelScorer, columns
from lab.scoring.padding import batches
from tests.lab.models import LABELS, TEXT, make_classifier

WORDS = " ".join(TEXT).split()
CHOICES = ("positive", "negative")  # of the model's three, in another order and case
TEXTS = tuple(" ".join(WORDS[n : n + 1 + n * 5 % 17]) for n in range(24))
TASK = Task(
    "mood",
    tuple(Item(str(n), text, CHOICES, n % 2, cluster=str(n // 2)) for n, text in enumerate(TEXTS)),
    Kind.LABEL,
)
MODELS: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("bert", {}, True),
    ("roberta", {}, True),
    ("llama", {}, True),
    ("gpt2", {"pad_token_id": 1}, True),  # what ends a text also pads it
    ("llama", {"pad_token_id": None}, False),
    ("bart", {}, True),
    ("bart", {"pad_token_id": 1}, False),  # counts end marks: those of the padding as well
    ("convbert", {}, False),  # convolutions see padding
)


def reference(model: Model, folder: Path) -> list[list[float]]:
    """Score one text at a time as a user of transformers would."""
    import torch
    import transformers

    auto: Any = transformers.AutoTokenizer
    tokenizer = auto.from_pretrained(str(folder))
    found = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.inference_mode():
            logits = model.module(input_ids=ids).logits[0]
        found.append((-logits.double().log_softmax(-1)).tolist())
    return found


@pytest.mark.parametrize(("kind", "changes", "padded"), MODELS)
def test_scores(tmp_path: Path, kind: str, changes: dict[str, Any], padded: bool) -> None:
    folder = make_classifier(tmp_path, kind, **changes)
    model = load(inspect(folder), "cpu")
    assert model.family == "classifier"
    wanted = reference(model, folder)
    for tokens in (1, 40, 0):
        scorer = LabelScorer(model, TASK, tokens)
        found = (*scorer.take(5), *scorer.take(100), *scorer.take(1))
        assert (scorer.level, scorer.gap, scorer._padded) == ("plain", None, padded)
        assert scorer.read == sum(item.tokens for item in found)
        for item, one, nats in zip(TASK.items, found, wanted, strict=True):
            assert one.nats == pytest.approx((nats[2], nats[0]), abs=1e-4)
            assert one.nll == one.nats[item.answer]
            best = nats.index(min(nats))
            assert one.output == LABELS[best]
            assert one.correct == (best == (2, 0)[item.answer])
            assert (one.id, one.cluster, one.bytes) == (item.id, item.cluster, 1)
    assert {one.correct for one in found} == {True, False}


def test_end_marks_in_texts(tmp_path: Path) -> None:
    # Bart looks for the last one, and wants as many in every row of a batch.
    model = load(inspect(make_classifier(tmp_path, "bart")), "cpu")
    # Neither among the shortest nor the longest, which are read both ways before.
    texts = ["The </s> boats"] + ["The boats"] * 11 + ["The boats of the old woman"] * 12
    items = tuple(Item(str(n), text, CHOICES) for n, text in enumerate(texts))
    found = LabelScorer(model, Task("t", items, Kind.LABEL)).take(24)
    assert found[0].nats != pytest.approx(found[1].nats, abs=1e-3)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_classifier(tmp_path_factory.mktemp("bert"))


def test_half_precision_is_batched_too(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(bert, tmp_path / "half")
    path = str(tmp_path / "half" / "model.safetensors")
    save_file({n: t.bfloat16() for n, t in load_file(path).items()}, path, {"format": "pt"})
    model = load(inspect(tmp_path / "half"), "cpu")
    assert model.dtype == "bfloat16"
    whole = load(inspect(bert), "cpu")
    scorer = LabelScorer(model, TASK)
    for half, full in zip(scorer.take(99), LabelScorer(whole, TASK).take(99), strict=True):
        assert half.nats == pytest.approx(full.nats, abs=0.1)
    assert scorer._padded


@pytest.mark.parametrize(
    ("choices", "labels", "found"),
    [
        (("a", "b"), ("b", "a"), (1, 0)),
        (("a", "A"), ("A", "a"), (1, 0)),
        (("A",), ("b", "a"), (1,)),
    ],
)
def test_columns(choices: tuple[str, ...], labels: tuple[str, ...], found: tuple[int, ...]) -> None:
    assert columns(choices, labels) == found


@pytest.mark.parametrize(
    ("choices", "labels", "words"),
    [
        (("a", "c"), ("a", "b"), "has no label 'c'; it has 'a', 'b'"),
        (("a",), ("A", "A"), "several labels 'a'"),
        (("a",), ("a", "a"), "several labels 'a'"),
        (("a", "A"), ("b", "a"), "two labels of the suite are one"),
        (("x",), tuple(map(str, range(99))), "and 79 more"),
    ],
)
def test_labels_refused(choices: tuple[str, ...], labels: tuple[str, ...], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        columns(choices, labels)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"problem_type": "multi_label_classification"}, "not single-label"),
        ({"problem_type": "regression"}, "not single-label"),
        ({"id2label": {"0": "a", "1": "b", "7": "c"}}, "does not number the labels 0 to 2"),
        ({"id2label": {"0": "a", "1": "b"}}, "another shape"),
    ],
)
def test_models_refused(bert: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    shutil.copytree(bert, tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ModelError, match=words):
        LabelScorer(load(inspect(tmp_path / "model"), "cpu"), TASK)


def test_regression_is_refused(tmp_path: Path) -> None:
    folder = make_classifier(tmp_path, id2label={0: "x"}, label2id={"x": 0})
    with pytest.raises(ModelError, match="one number, a regression"):
        LabelScorer(load(inspect(folder), "cpu"), TASK)


@pytest.mark.parametrize(("kind", "limit"), [("bert", 64), ("roberta", 61)])
def test_long_texts_are_refused(tmp_path: Path, kind: str, limit: int) -> None:
    # Roberta's positions begin after that of its padding, 2.
    model = load(inspect(make_classifier(tmp_path, kind)), "cpu")
    assert model.window == limit
    fits = Task("t", (Item("x", "1" * (limit - 2), CHOICES),), Kind.LABEL)
    assert LabelScorer(model, fits).take(1)[0].tokens == limit
    longer = Task("t", (Item("x", "1" * (limit - 1), CHOICES),), Kind.LABEL)
    with pytest.raises(ModelError, match=f"'x' has {limit + 1} tokens, the model reads {limit}"):
        LabelScorer(model, longer)


def test_batches(bert: Path) -> None:
    model = load(inspect(bert), "cpu")
    assert list(batches(model, [1, 3, 2], 4, padded=True)) == [[1], [2, 0]]
    assert list(batches(model, [1, 3, 2], 4, padded=False)) == [[1], [2], [0]]
    assert list(batches(model, [], 4, padded=True)) == []


def test_label_read_at_an_end_mark_of_any_id(tmp_path: Path) -> None:
    folder = make_classifier(tmp_path, "bart", eos_token_id=77)
    assert load(inspect(folder), "cpu").vocabulary == 3
