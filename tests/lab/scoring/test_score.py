"""Scores against the plainest computation there is: one item at a time, in transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Item, Kind, Task
from lab.scoring.score import score
from tests.lab.models import TEXT, make_model, make_tokenizer

TEXTS = Task(
    "texts", tuple(Item(str(n), "", (TEXT[n % 4] * (1 + n % 4),)) for n in range(24)), Kind.TEXT
)
CHOICES = Task(
    "choices",
    tuple(
        Item(str(n), TEXT[n % 4][: 10 + 3 * n], (" boat", " the harbour", "s", " naïve"), n % 4)
        for n in range(12)
    ),
    Kind.CHOICES,
)


def naive(folder: Path) -> tuple[Any, Any]:
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    wrapper: Any = transformers.PreTrainedTokenizerFast
    return auto.from_pretrained(str(folder)).eval(), wrapper.from_pretrained(str(folder))


def naive_nll(module: Any, ids: list[int], scored: int) -> float:
    """Sum over the last `scored` tokens, by log-softmax, each window on its own."""
    import torch

    window, total = module.config.max_position_embeddings, 0.0
    done = len(ids) - scored
    with torch.no_grad():
        while done < len(ids):
            end = min(len(ids), done + window if done > 1 else window + 1)
            part = ids[max(0, end - window - 1) : end]
            logits = module(input_ids=torch.tensor([part[:-1]])).logits[0]
            table = logits.double().log_softmax(-1)
            fresh = end - done
            for position in range(len(part) - 1 - fresh, len(part) - 1):
                total -= float(table[position, part[position + 1]])
            done = end
    return total


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load(inspect(folder), "cpu")


def test_texts_equal_the_naive_way(folder: Path, model: Model) -> None:
    module, tokenizer = naive(folder)
    found = score(model, TEXTS)
    assert [i.id for i in found.items] == [i.id for i in TEXTS.items]
    assert max(i.tokens for i in found.items) > model.window  # some need several windows
    for item, scored in zip(TEXTS.items, found.items, strict=True):
        ids = tokenizer(item.choices[0], add_special_tokens=False)["input_ids"]
        right = naive_nll(module, [tokenizer.bos_token_id, *ids], len(ids))
        assert scored.nll == pytest.approx(right, abs=1e-4 * len(ids) / 10, rel=1e-6)
        assert (scored.tokens, scored.correct) == (len(ids), None)
        assert scored.bytes == len(item.choices[0].encode())
        assert scored.lossless


def test_choices_equal_the_naive_way(folder: Path, model: Model) -> None:
    module, tokenizer = naive(folder)
    outcomes = set()
    for item, scored in zip(CHOICES.items, score(model, CHOICES).items, strict=True):
        context = tokenizer(item.context)["input_ids"]
        nlls = []
        for choice in item.choices:
            whole = tokenizer(item.context + choice)["input_ids"]
            shared = next(
                (n for n, (a, b) in enumerate(zip(context, whole, strict=False)) if a != b),
                len(context),
            )
            nlls.append(naive_nll(module, whole, len(whole) - shared))
        assert scored.nll == pytest.approx(nlls[item.answer], abs=1e-4)
        assert scored.correct == (nlls[item.answer] == min(nlls))
        outcomes.add(scored.correct)
    assert outcomes == {True, False}


@pytest.mark.parametrize("batch_tokens", [1, 200, 100_000])
@pytest.mark.parametrize("task", [TEXTS, CHOICES], ids=lambda t: t.name)
def test_batch_size_does_not_matter(model: Model, task: Task, batch_tokens: int) -> None:
    usual, other = score(model, task), score(model, task, batch_tokens=batch_tokens)
    for left, right in zip(usual.items, other.items, strict=True):
        assert left.nll == pytest.approx(right.nll, abs=1e-4)


def test_order_of_items_does_not_matter(model: Model) -> None:
    turned = score(model, Task("texts", TEXTS.items[::-1], Kind.TEXT)).items[::-1]
    assert [i.nll for i in turned] == pytest.approx(
        [i.nll for i in score(model, TEXTS).items], abs=1e-4
    )


def test_without_bos_the_first_token_is_read_only(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    make_tokenizer(folder, bos=False)
    model = load(inspect(folder), "cpu")
    module, tokenizer = naive(folder)
    text = "é harbour, and rain"
    [found] = score(model, Task("t", (Item("a", "", (text,)),), Kind.TEXT)).items
    ids = tokenizer(text)["input_ids"]
    assert found.nll == pytest.approx(naive_nll(module, ids, len(ids) - 1), abs=1e-4)
    assert found.tokens == len(ids) - 1
    first = tokenizer(text, return_offsets_mapping=True)["offset_mapping"][0][1]
    assert found.bytes == len(text[first:].encode()) < len(text.encode())
    with pytest.raises(ModelError, match="item 'b' has no token to score"):
        score(model, Task("t", (Item("b", "", ("T",)),), Kind.TEXT))


def test_choice_that_does_not_fit(model: Model) -> None:
    long = Item("long", TEXT[0] * 5, (" a", " b"))
    with pytest.raises(ModelError, match=r"item 'long' has .* tokens, the model reads 64"):
        score(model, Task("c", (long,), Kind.CHOICES))


def test_progress_reaches_the_end(model: Model) -> None:
    told: list[tuple[int, int]] = []
    score(model, TEXTS, batch_tokens=100, progress=lambda done, total: told.append((done, total)))
    assert len(told) > 2
    assert told[-1][0] == told[-1][1]


def test_tie_is_not_correct(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = make_model(tmp_path, tie_word_embeddings=False)
    path = str(folder / "model.safetensors")
    tensors = load_file(path)
    tensors["lm_head.weight"].zero_()
    save_file(tensors, path, {"format": "pt"})
    blank = load(inspect(folder), "cpu")
    same = Item("a", "The", (" x", " y"))
    [found] = score(blank, Task("c", (same,), Kind.CHOICES)).items
    assert found.correct is False
