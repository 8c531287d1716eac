from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model.family import family_of
from lab.model.folder import inspect
from lab.model.load import load
from lab.protocol import Item, Kind, Task
from lab.scoring.score import scorer
from tests.lab.models import make_classifier, make_pair_model


@pytest.mark.parametrize(
    ("kind", "architectures", "found"),
    [
        ("llama", ["LlamaForCausalLM"], ("causal", "LlamaForCausalLM")),
        ("llama", ["LlamaForSequenceClassification"], ("classifier", None)),
        ("bert", ["BertLMHeadModel"], ("causal", None)),
        ("bart", ["BartForCausalLM"], ("causal", None)),
        ("bart", ["BartForConditionalGeneration"], ("seq2seq", None)),
        ("t5", ["T5Model", "T5ForSequenceClassification"], ("classifier", None)),
        ("marian", ["MarianMTModel"], ("seq2seq", None)),
        ("pegasus_x", None, ("seq2seq", "PegasusXForConditionalGeneration")),  # it is nothing else
    ],
)
def test_family(kind: str, architectures: list[str] | None, found: tuple[str, str | None]) -> None:
    family, name = family_of({"model_type": kind, "architectures": architectures})
    assert (family, name) == (found[0], found[1] or (architectures or [])[-1])


@pytest.mark.parametrize(
    ("kind", "architectures", "words"),
    [
        ("vit", ["ViTModel"], "no language model and no classifier"),
        ("nothing", ["X"], "no language model and no classifier"),
        ("llama", None, "names nothing: none"),
        ("llama", "LlamaForCausalLM", "names nothing: none"),
        ("llama", [["LlamaForCausalLM"], 3], "names nothing: none"),
        ("bert", ["BertForMaskedLM"], "names 'BertForMaskedLM': none"),
        ("llama", ["x" * 999] * 9, "none that can be scored"),
        ("bart", ["BartForCausalLM", "BartForConditionalGeneration"], "more than one"),
    ],
)
def test_refused(kind: str, architectures: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        family_of({"model_type": kind, "architectures": architectures})
    assert len(caught.value.message) < 300


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "classifier": make_classifier(tmp_path_factory.mktemp("bert")),
        "seq2seq": make_pair_model(tmp_path_factory.mktemp("t5")),
    }


@pytest.mark.parametrize(
    ("family", "kind", "words"),
    [
        ("causal", Kind.LABEL, "LlamaForCausalLM predicts tokens and knows no labels"),
        ("seq2seq", Kind.LABEL, "is of kind label"),
        ("seq2seq", Kind.TEXT, "predicts answers to a context, not texts by themselves"),
        ("classifier", Kind.TEXT, "says labels and predicts no tokens"),
        ("classifier", Kind.CHOICES, "says labels and predicts no tokens"),
    ],
)
def test_scorers(llama: Path, others: dict[str, Path], family: str, kind: Kind, words: str) -> None:
    model = load(inspect(others.get(family, llama)), "cpu")
    items = (Item("1", "" if kind is Kind.TEXT else "The keeper", ("positive", "negative")),)
    with pytest.raises(ModelError, match=words):
        scorer(model, Task("t", items, kind))
    right = {"causal": Kind.CHOICES, "seq2seq": Kind.CHOICES, "classifier": Kind.LABEL}[family]
    [found] = scorer(model, Task("t", (Item("1", "The keeper", items[0].choices),), right)).take(1)
    assert len(found.nats) == 2
