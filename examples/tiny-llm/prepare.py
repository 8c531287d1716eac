# SPDX-License-Identifier: Apache-2.0
"""Turn the text in data/ into a tokenizer, token ids and the evaluation suite.

Passages stay on their side of the split when files are added, because the side follows
from a digest of the text itself.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).resolve().parent
END = "<|endoftext|>"
Passage = tuple[str, str]  # cluster, text


def passages(name: str, text: str, length: int, together: int) -> list[Passage]:
    """Cut a play into runs of whole lines; `together` neighbours make one cluster."""
    runs, run = [], ""
    for line in text.splitlines(keepends=True):
        run += line
        if len(run.encode()) >= length:
            runs.append(run.strip())
            run = ""
    return [(f"{name}/{i // together}", run) for i, run in enumerate(runs)]


def held_out(cluster: list[str], share: float) -> bool:
    """Whether a cluster is kept from training: decided by its text, not by its position."""
    digest = hashlib.sha256("\n".join(cluster).encode()).digest()
    return int.from_bytes(digest[:4]) < share * 2**32


def split(found: list[Passage], share: float) -> tuple[list[Passage], list[Passage]]:
    """Return (training, held-out) passages; a cluster is never divided."""
    clusters: dict[str, list[str]] = {}
    for name, text in found:
        clusters.setdefault(name, []).append(text)
    kept = {name for name, texts in clusters.items() if held_out(texts, share)}
    return [p for p in found if p[0] not in kept], [p for p in found if p[0] in kept]


def train_tokenizer(texts: list[str], vocabulary: int) -> Any:
    """Train a byte-level BPE tokenizer: every text can be encoded, nothing is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def shuffles(line: str, count: int) -> list[str]:
    """Return different orders of a line's words; fewer than `count` where there are not as many."""
    chance = random.Random(line)
    words, found = line.split(), {line: None}
    for _ in range(10 * count):
        chance.shuffle(words)
        found.setdefault(" ".join(words))
    return list(found)[1 : count + 1]


def next_lines(found: list[Passage]) -> list[dict[str, Any]]:
    """Ask which line comes next: the right one, or the same words in one of three other orders."""
    rows = []
    for number, (cluster, text) in enumerate(found):
        prompt, _, right = text.rpartition("\n")
        wrong = shuffles(right, 3)
        if len(right.split()) < 5 or len(wrong) < 3:
            continue
        answer = number % 4
        rows.append(
            {
                "id": f"next-line-{number}",
                "prompt": prompt + "\n",
                "choices": [*wrong[:answer], right, *wrong[answer:]],
                "answer": answer,
                "cluster": cluster,
            }
        )
    return rows


def unigram_bits_per_byte(train: list[int], test: list[int], size: int, length: int) -> float:
    """Score held-out text by token frequency alone (add-one smoothing): the bar to clear."""
    counts = Counter(train)
    total = len(train) + size
    return -sum(math.log2((counts[token] + 1) / total) for token in test) / length


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write one JSON object per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Save the tokenizer so that transformers loads it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    """Read params.yaml and data/, write prepared/ and eval/."""
    params = yaml.safe_load(Path("params.yaml").read_text())["prepare"]
    found = [
        passage
        for path in sorted((HERE / "data").glob("*.txt"))
        for passage in passages(
            path.stem, path.read_text(), params["passage_bytes"], params["cluster_passages"]
        )
    ]
    train, test = split(found, params["held_out_share"])
    tokenizer = train_tokenizer([text for _, text in train], params["vocabulary"])
    end = tokenizer.token_to_id(END)
    train_ids, test_ids = (
        [token for _, text in part for token in (end, *tokenizer.encode(text).ids)]
        for part in (train, test)
    )
    length = sum(len(text.encode()) for _, text in test)
    baseline = unigram_bits_per_byte(train_ids, test_ids, tokenizer.get_vocab_size(), length)

    prepared = HERE / "prepared"
    save_tokenizer(tokenizer, prepared / "tokenizer")
    np.save(prepared / "train.npy", np.array(train_ids, dtype=np.uint16))
    np.save(prepared / "held-out.npy", np.array(test_ids, dtype=np.uint16))
    # The same passages as text: what the model sees is what a review searches for test items.
    write_lines(prepared / "train.jsonl", [{"text": text} for _, text in train])
    facts = {"held_out_bytes": length, "unigram_bits_per_byte": round(baseline, 4)}
    (prepared / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    texts = [
        {"id": f"held-out-{number}", "text": text, "cluster": cluster}
        for number, (cluster, text) in enumerate(test)
    ]
    write_lines(HERE / "eval" / "held-out.jsonl", texts)
    write_lines(HERE / "eval" / "next-line.jsonl", next_lines(test))
    print(
        f"prepare: {len(train_ids):,} training tokens, {len(test)} held-out passages, "
        f"unigram {baseline:.3f} bits per byte"
    )


if __name__ == "__main__":
    main()
