# SPDX-License-Identifier: Apache-2.0
"""Train a small Llama-style language model on the prepared tokens and save it in model/.

Fails if the model does not clearly beat token frequencies on held-out text.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from transformers.models.llama import LlamaConfig, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

HERE = Path(__file__).resolve().parent
PREPARED, MODEL, PLOTS = HERE / "prepared", HERE / "model", HERE / "plots"
END = 0  # id of the end-of-text token, the first that prepare.py adds
CLEARLY = 0.9  # the model needs at most this share of the unigram's bits


def build(shape: dict[str, int], vocabulary: int) -> Any:
    """Return an untrained model of this shape."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=shape["hidden_size"],
            intermediate_size=shape["intermediate_size"],
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["heads"],
            num_key_value_heads=shape["heads"],
            max_position_embeddings=shape["context"],
            tie_word_embeddings=True,
            initializer_range=0.03,  # narrow layers start better with more than the usual 0.02
            bos_token_id=END,
            eos_token_id=END,
        )
    )


def batches(tokens: torch.Tensor, steps: int, batch: int, window: int) -> Iterator[torch.Tensor]:
    """Yield windows at random places of the text."""
    for _ in range(steps):
        starts = torch.randint(len(tokens) - window, (batch,)).tolist()
        yield torch.stack([tokens[start : start + window] for start in starts])


def rate(step: int, steps: int, peak: float) -> float:
    """Warm up over a tenth of the steps, then fall along a cosine to a tenth of the peak."""
    warm = max(1, steps // 10)
    if step < warm:
        return peak * (step + 1) / warm
    progress = (step - warm) / max(1, steps - warm)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))


def train(model: Any, tokens: torch.Tensor, settings: dict[str, Any]) -> list[float]:
    """Train in place and return the loss of every step, in nats per token."""
    steps = settings["steps"]
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=0.0, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    losses, begun = [], time.monotonic()
    model.train()
    for step, ids in enumerate(batches(tokens, steps, settings["batch"], settings["window"])):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, settings["learning_rate"])
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % max(1, steps // 4) == 0:
            seconds = time.monotonic() - begun
            print(f"train: step {step + 1}/{steps}, loss {losses[-1]:.3f}, {seconds:.1f} s")
            sys.stdout.flush()
    return losses


@torch.inference_mode()
def bits_per_byte(model: Any, tokens: torch.Tensor, window: int, length: int) -> float:
    """Score held-out text in windows; the first token of each window costs nothing extra."""
    model.eval()
    nats = 0.0
    for start in range(0, len(tokens) - 1, window):
        ids = tokens[start : start + window + 1][None]
        nats += model(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)
    return nats / math.log(2) / length


def save(model: Any, losses: list[float]) -> None:
    """Write weights, configuration and tokenizer, and the loss curve for `dvc plots`."""
    disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(MODEL)
    for path in sorted((PREPARED / "tokenizer").iterdir()):
        shutil.copyfile(path, MODEL / path.name)
    PLOTS.mkdir(exist_ok=True)
    rows = "".join(f"{step},{loss:.4f}\n" for step, loss in enumerate(losses, start=1))
    (PLOTS / "loss.csv").write_text("step,loss\n" + rows)


def load(name: str) -> torch.Tensor:
    """Return prepared token ids."""
    return torch.from_numpy(np.load(PREPARED / f"{name}.npy").astype(np.int64))


def main() -> None:
    """Read params.yaml and prepared/, write model/, plots/ and training.json."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    facts = json.loads((PREPARED / "facts.json").read_text())
    torch.set_num_threads(params["train"]["threads"])
    torch.manual_seed(params["train"]["seed"])
    torch.use_deterministic_algorithms(True)
    model = build(params["model"], params["prepare"]["vocabulary"])
    losses = train(model, load("train"), params["train"])
    context, unigram = params["model"]["context"], facts["unigram_bits_per_byte"]
    reached = bits_per_byte(model, load("held-out"), context - 1, facts["held_out_bytes"])
    save(model, losses)
    metrics = {
        "held_out_bits_per_byte": round(reached, 4),
        "unigram_bits_per_byte": unigram,
        "parameters": model.num_parameters(),
    }
    (HERE / "training.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"train: {reached:.3f} bits per byte held out, token frequencies need {unigram:.3f}")
    if reached > CLEARLY * unigram:
        sys.exit("train: the model does not clearly beat token frequencies; train longer")


if __name__ == "__main__":
    main()
