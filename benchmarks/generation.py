"""Greedy writing against transformers' own ways: the same model, prompts and process.

Run: python -m benchmarks.generation
"""

from __future__ import annotations

import argparse
import operator
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scoring import SIZES, make_model, prose

TOKENS = 64
STOPS = (".", "\n", "0")  # what this random model comes to sooner or later
BATCHES = (8, 16, 32)
ALIKE = 0.98  # a random model is now and then of two minds, to the last digit
LEAST = 0.95  # of transformers' seconds, ours may be 1 / LEAST: readings swing by as much

Write = Callable[[], list[str]]


def prompts(count: int) -> list[str]:
    """Return prompts of 20 to 120 words of this repository's own pages."""
    chance, words = random.Random(0), prose()
    starts = [chance.randrange(len(words) - 120) for _ in range(count)]
    return [" ".join(words[start : start + chance.randint(20, 120)]) for start in starts]


def own(folder: Path, texts: Sequence[str], until: tuple[str, ...]) -> Write:
    """Return what writes with lab, its proof that padding is harmless included."""
    from lab.model.folder import inspect
    from lab.model.load import load
    from lab.protocol import Generation, Item, Kind, Task
    from lab.scoring.writer import Writer

    model = load(inspect(folder), "cpu")
    items = tuple(Item(str(number), text, ("",)) for number, text in enumerate(texts))
    task = Task("t", items, Kind.GENERATE, generation=Generation(until, TOKENS))
    return lambda: Writer(model, task).write(items)


def peers(folder: Path, texts: Sequence[str], until: tuple[str, ...]) -> dict[str, Write]:
    """Return transformers' ways: batches sorted by length, and (without stops) continuous ones."""
    import torch
    import transformers

    made: Any = transformers
    tokenizer = made.PreTrainedTokenizerFast.from_pretrained(str(folder), padding_side="left")
    tokenizer.pad_token = tokenizer.eos_token
    model = made.AutoModelForCausalLM.from_pretrained(str(folder)).eval()
    config = made.GenerationConfig(
        do_sample=False, max_new_tokens=TOKENS, eos_token_id=1, pad_token_id=1
    )
    stops = {"stop_strings": list(until), "tokenizer": tokenizer} if until else {}

    def cut(written: Sequence[Sequence[int]]) -> list[str]:
        found = tokenizer.batch_decode(written, skip_special_tokens=True)
        for stop in until:
            found = [text.split(stop)[0] for text in found]
        return list(found)

    def batched(size: int) -> list[str]:
        order = sorted(range(len(texts)), key=lambda n: -len(tokenizer(texts[n])["input_ids"]))
        found: dict[int, str] = {}
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            read = tokenizer([texts[n] for n in batch], return_tensors="pt", padding=True)
            read.pop("token_type_ids", None)
            with torch.inference_mode():
                ids = model.generate(**read, generation_config=config, **stops)
            found.update(zip(batch, cut(ids[:, read["input_ids"].shape[1] :]), strict=True))
        return [found[n] for n in range(len(texts))]

    def continuous() -> list[str]:
        rows = [tokenizer(text)["input_ids"] for text in texts]
        answers = model.generate_batch(inputs=rows, generation_config=config)
        return cut([answer.generated_tokens for answer in answers.values()])

    ways: dict[str, Write] = {
        f"batches of {size}": lambda size=size: batched(size)  # type: ignore[misc]
        for size in BATCHES
    }
    return ways if until else {**ways, "continuous": continuous}


def measured(ways: dict[str, Write], runs: int) -> dict[str, float]:
    """Run all in turn; return the least CPU seconds of each. Exits where texts differ."""
    least: dict[str, float] = {}
    texts: list[str] = []
    same = 1.0
    for run in range(runs):
        for name, write in ways.items():
            if run and least[name] > 2 * least["lab"]:
                continue  # it will not be the best
            start = time.process_time()
            found = write()
            least[name] = min(least.get(name, float("inf")), time.process_time() - start)
            texts = texts or found
            same = min(same, sum(map(operator.eq, found, texts)) / len(texts))
    print(f"{len(texts)} texts, at least {same:.1%} the same in every way")
    if same < ALIKE:
        raise SystemExit("the texts differ")
    return least


def main() -> None:
    """Print seconds and ratios; exit 1 where the best of transformers' ways is faster."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="9M")
    parser.add_argument("--items", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    os.environ.update(OMP_WAIT_POLICY="PASSIVE", HF_HUB_OFFLINE="1")
    from lab.model.load import settle

    settle(threads=2)
    missed = False
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_model(folder, options.size)
        texts = prompts(options.items)
        for title, until in ((f"{TOKENS} tokens each", ()), ("until a stop string", STOPS)):
            print(f"\n{title}:", end=" ")
            ways = {"lab": own(folder, texts, until), **peers(folder, texts, until)}
            least = measured(ways, options.runs)
            for name, seconds in least.items():
                print(f"{name:<16}{seconds:>8.2f} CPU-s{seconds / least['lab']:>8.2f}")
            best = min(seconds for name, seconds in least.items() if name != "lab")
            missed |= best / least["lab"] < LEAST
    raise SystemExit(missed)


if __name__ == "__main__":
    main()
