"""Scores equal those of lm-evaluation-harness, on a model that has learned something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.items.suite import read_task
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.scoring.score import score
from tests.lab.models import make_tokenizer

ROOT = Path(__file__).resolve().parents[3]
WINDOW = 256
STEPS = 80


def prose() -> str:
    return " ".join((ROOT / "LICENSE").read_text().split())


def train(folder: Path, text: str) -> None:
    """Train a Llama of two layers on the text, until it knows which letters follow others."""
    import torch
    import transformers

    made: Any = transformers
    make_tokenizer(folder)
    tokenizer = made.PreTrainedTokenizerFast.from_pretrained(str(folder))
    torch.manual_seed(0)
    config = made.LlamaConfig(
        vocab_size=320,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=WINDOW,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    module = made.LlamaForCausalLM(config)
    ids = torch.tensor(tokenizer(text)["input_ids"])
    optimiser = torch.optim.AdamW(module.parameters(), lr=5e-3)
    losses = []
    for _ in range(STEPS):
        starts = torch.randint(0, len(ids) - 65, (16,))
        batch = torch.stack([ids[start : start + 64] for start in starts])
        loss = module(input_ids=batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0], "the model has not learned"
    module.save_pretrained(str(folder))


def suites(text: str) -> dict[str, list[dict[str, Any]]]:
    words = text.split()

    def some(start: int, count: int) -> str:
        start %= len(words) - count
        return " ".join(words[start : start + count])

    header = "".join(f"{some(97 * n, 5)} -> {some(97 * n + 5, 2)}\n" for n in range(2))
    return {
        "shots": [
            {
                "prompt": f"{header}{some(31 * n, 3 + n % 7)} ->",
                "choices": [f" {some(31 * n + m * 57, 1 + (n + m) % 4)} {m}" for m in range(4)],
                "answer": n % 4,
            }
            for n in range(24)
        ],
        "alone": [
            {"prompt": some(41 * n, 4), "choices": [" the", " the rule", ",", "."], "answer": n % 4}
            for n in range(24)
        ],
        # Short words, for some of which greedy choice is right.
        "targets": [
            {"prompt": some(n, 6), "target": f" {words[n + 6]}"}
            for n in range(0, 400, 4)
            if len(words[n + 6]) < 4
        ],
        "rolling": [{"text": some(71 * n, 4 + 20 * n)} for n in range(8)],
    }


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return a folder with a model and suites, and what the harness says of them."""
    folder = tmp_path_factory.mktemp("oracle")
    text = prose()
    train(folder / "model", text)
    for name, items in suites(text).items():
        lines = "".join(json.dumps(item) + "\n" for item in items)
        (folder / f"{name}.jsonl").write_text(lines)
    script, output = str(ROOT / "benchmarks" / "scoring_peer.py"), folder / "oracle.json"
    files = [str(path) for path in sorted(folder.glob("*.jsonl"))]
    # A process of its own: the harness warns while it loads, and here warnings are errors.
    subprocess.run(
        [sys.executable, script, str(folder / "model"), "8", str(output), *files],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    return folder, json.loads(output.read_text())


@pytest.fixture(scope="module")
def model(oracle: tuple[Path, dict[str, Any]]) -> Model:
    return load(inspect(oracle[0] / "model"), "cpu")


@pytest.mark.parametrize(
    ("name", "level"),
    [("shots", "prefix"), ("alone", "prefix"), ("targets", "prefix"), ("rolling", "plain")],
)
def test_scores_equal_those_of_the_harness(
    name: str, level: str, oracle: tuple[Path, dict[str, Any]], model: Model
) -> None:
    folder, said = oracle
    found = score(model, read_task(name, (folder / f"{name}.jsonl").read_bytes()))
    assert found.level == level
    outcomes = set()
    for item, (nats, correct) in zip(found.items, said[name]["scores"], strict=True):
        own = list(item.nats) or [item.nll]
        assert own == pytest.approx(nats, abs=1e-3), item.id
        assert own.index(min(own)) == nats.index(min(nats))
        assert item.correct == correct
        outcomes.add(item.correct)
    assert outcomes == ({None} if name == "rolling" else {True, False})
