"""Encoder-decoders: against lm-evaluation-harness, in a process of its own, and plain batches."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Item, Kind, Task
from lab.scoring.seq2seq import PairScorer
from tests.lab.models import TEXT, make_pair_model

KINDS = ("t5", "bart")
WORDS = " ".join(TEXT).split()
ORACLE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
folders, pairs = json.load(sys.stdin)
found = []
for folder in folders:
    model = HFLM(pretrained=folder, backend="seq2seq", device="cpu", dtype="auto", batch_size=3)
    asked = [Instance("loglikelihood", {}, tuple(p), n) for n, p in enumerate(pairs)]
    found.append(model.loglikelihood(asked, disable_tqdm=True))
print("\\n" + json.dumps(found))
"""


def items() -> tuple[Item, ...]:
    found = []
    for n in range(12):
        context = " ".join(WORDS[n : n + 1 + n * 3 % 11])
        spaces = ("", " ", " \n ")[n % 3]  # at the end of a context: they go to the choice
        choices = tuple(
            ("" if spaces else " ") + " ".join(WORDS[n + k : n + 2 * k + 1]) for k in range(3)
        )
        found.append(Item(str(n), context + spaces, choices, n % 3, cluster="c"))
    # No context at all: the decoder answers to the token that begins, or ends, texts.
    return (*found, Item("empty", "", ("the boats", "nobody"), 1))


TASK = Task("cloze", items(), Kind.CHOICES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: make_pair_model(tmp_path_factory.mktemp(kind), kind) for kind in KINDS}


@pytest.fixture(scope="module")
def oracle(folders: dict[str, Path]) -> dict[str, list[tuple[float, bool]]]:
    pytest.importorskip("lm_eval", reason="the oracle is a development dependency")
    pairs = [(item.context, choice) for item in TASK.items for choice in item.choices]
    done = subprocess.run(
        [sys.executable, "-c", ORACLE],
        input=json.dumps([[str(folder) for folder in folders.values()], pairs]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(folders, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_like_the_harness(
    folders: dict[str, Path], oracle: dict[str, list[tuple[float, bool]]], kind: str
) -> None:
    model = load(inspect(folders[kind]), "cpu")
    assert model.family == "seq2seq"
    wanted = iter(oracle[kind])
    found = PairScorer(model, TASK).take(99)
    right = 0
    for item, one in zip(TASK.items, found, strict=True):
        nats = [-next(wanted)[0] for _ in item.choices]
        assert one.nats == pytest.approx(nats, abs=1e-3)
        assert one.correct == (nats.index(min(nats)) == item.answer)
        assert one.nll == one.nats[item.answer]
        assert one.bytes == len(item.choices[item.answer].encode())
        assert one.lossless
        right += bool(one.correct)
    assert 0 < right < len(found)


@pytest.mark.parametrize("kind", (*KINDS, "mbart"))
def test_batches_move_no_score(tmp_path: Path, kind: str) -> None:
    model = load(inspect(make_pair_model(tmp_path, kind)), "cpu")
    whole = PairScorer(model, TASK)
    together = whole.take(99)
    assert whole._padded
    alone = PairScorer(model, TASK, 1)
    told: list[tuple[int, int]] = []
    parts = [one for _ in TASK.items for one in alone.take(1, lambda *at: told.append(at))]
    assert alone.take(1) == ()
    assert told == [(1, 1)] * len(TASK.items)
    assert whole.read == alone.read > sum(one.tokens for one in parts)
    for left, right in zip(together, parts, strict=True):
        assert left.nats == pytest.approx(right.nats, abs=1e-4)
        assert (left.id, left.cluster, left.tokens) == (right.id, right.cluster, right.tokens)


def greedy(model: Model, context: str) -> str:
    """Return two tokens of what the model writes, "" where they are not a text of their own."""
    import torch

    ids = torch.tensor([model.tokens.tokenizer.encode(context).ids])
    said = [0]
    with torch.inference_mode():
        for _ in range(2):
            logits = model.module(input_ids=ids, decoder_input_ids=torch.tensor([said])).logits
            said.append(int(logits[0, -1].argmax()))
    text: str = model.tokens.tokenizer.decode(said[1:])
    [encoded] = model.tokens.encode([text])
    return text if list(encoded.ids) == said[1:] else ""


def test_targets_are_greedy(folders: dict[str, Path]) -> None:
    model = load(inspect(folders["bart"]), "cpu")
    written = ((context, greedy(model, context)) for context in WORDS)
    context, said = next((context, text) for context, text in written if text)
    items = tuple(Item(text, context, (text,)) for text in (said, said[0] + "!", said + "!"))
    right, *wrong = PairScorer(model, Task("t", items, Kind.TARGET)).take(3)
    assert right.correct
    assert not any(one.correct for one in wrong)
    assert right.nats == ()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (Item("x", "1" * 64, ("a",)), "has 65 tokens, the model reads 64"),
        (Item("x", "1", ("1" * 65,)), "has 65 tokens, the model reads 64"),
        (Item("x", "1", ("a", "")), "a choice without a token"),
    ],
)
def test_items_refused(folders: dict[str, Path], item: Item, words: str) -> None:
    model = load(inspect(folders["t5"]), "cpu")
    with pytest.raises(ModelError, match=words):
        PairScorer(model, Task("t", (item,), Kind.CHOICES))


@pytest.mark.parametrize("value", [None, -1, 320, "0"])
def test_start_token_is_needed(folders: dict[str, Path], tmp_path: Path, value: Any) -> None:
    shutil.copytree(folders["t5"], tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = {**json.loads(path.read_text()), "decoder_start_token_id": value}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"decoder_start_token_id|config.json cannot be used"):
        PairScorer(load(inspect(tmp_path / "model"), "cpu"), TASK)
