"""Scoring against lm-evaluation-harness (hf backend): the same model, items and run.

Run: python -m benchmarks.scoring [--peer PYTHON], an interpreter with lm-eval 0.4.13.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.timing import cpu_seconds

ROOT = Path(__file__).resolve().parents[1]
BATCHES = (1, 8, 32)
TARGETS = {"cloze-5": 10.0, "letters-5": 5.0, "cloze-0": 2.5, "rolling": 1.0}
WHOLE = 4.0
MEMORY = 1e9  # bytes beyond the weights
AGREED = {"rolling": 5e-3}  # nats an item; texts have a thousand tokens
AGREEMENT = 1e-3
SIZES = {"1M": (64, 2, 2), "9M": (256, 6, 4), "110M": (768, 12, 12)}  # width, layers, heads
VOCABULARY = 8_192
SHOTS = 5


def prose() -> list[str]:
    """Return the words of this repository's own pages."""
    pages = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    return " ".join(page.read_text() for page in pages).split()


def make_model(folder: Path, size: str) -> None:
    """Write a random Llama with a byte-level BPE tokenizer of these pages."""
    import torch
    import transformers
    from tokenizers import ByteLevelBPETokenizer

    made: Any = transformers
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "</s>"]
    sources = [str(path) for path in sorted(ROOT.glob("[bl]*/**/*.py"))]
    trained.train(sources, VOCABULARY, special_tokens=specials, show_progress=False)
    made.PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, bos_token="<s>", eos_token="</s>"
    ).save_pretrained(str(folder))
    width, layers, heads = SIZES[size]
    torch.manual_seed(0)
    made.LlamaForCausalLM(
        made.LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=width,
            intermediate_size=3 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=1024,
            initializer_range=0.05,
            bos_token_id=0,
            eos_token_id=1,
        )
    ).save_pretrained(str(folder))


def write_suites(folder: Path, count: int) -> tuple[Path, ...]:
    """Write the four suites: questions of about 40 words, answers of four, texts of 700."""
    chance = random.Random(0)
    words = prose()

    def some(least: int, most: int) -> str:
        length = chance.randint(least, most)
        start = chance.randrange(len(words) - length)
        return " ".join(words[start : start + length])

    def question(letters: bool) -> tuple[str, list[str]]:
        answers = [some(2, 5) for _ in range(4)]
        if not letters:
            return f"Question: {some(15, 40)}\nAnswer:", [f" {answer}" for answer in answers]
        listed = "\n".join(f"{n}. {a}" for n, a in zip("ABCD", answers, strict=True))
        return f"Question: {some(15, 40)}\n{listed}\nAnswer:", [f" {n}" for n in "ABCD"]

    def items(letters: bool, shots: int) -> Iterator[dict[str, Any]]:
        shown = [question(letters) for _ in range(shots)]
        header = "".join(f"{asked}{answers[0]}\n\n" for asked, answers in shown)
        for number in range(count):
            asked, answers = question(letters)
            yield {"prompt": header + asked, "choices": answers, "answer": number % 4}

    suites = {
        "cloze-5": items(letters=False, shots=SHOTS),
        "letters-5": items(letters=True, shots=SHOTS),
        "cloze-0": items(letters=False, shots=0),
        "rolling": iter([{"text": some(100, 1_300)} for _ in range(count // 5)]),
    }
    for name, made in suites.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in made))
    return tuple(folder / f"{name}.jsonl" for name in suites)


def ran(command: list[str], output: Path) -> dict[str, Any]:
    """Run one process; return its scores, with its own CPU seconds under "whole"."""
    seconds, _ = cpu_seconds(command, ROOT)
    return {**json.loads(output.read_text()), "whole": {"seconds": seconds}}


def measured(
    folder: Path, model: Path, suites: tuple[Path, ...], peer: str, sizes: list[int], runs: int
) -> tuple[dict[str, Any], dict[str, float], dict[str, float]]:
    """Run everything in turn; return our last answers and the least seconds of both sides."""
    names = [str(suite) for suite in suites]
    output = folder / "scores.json"
    own: dict[str, float] = {}
    best: dict[str, float] = {}
    for _ in range(runs):
        theirs = {}
        ours = ran([sys.executable, "-m", "benchmarks.scoring_own", str(model), str(output),
                    *names], output)  # fmt: skip
        for size in sizes:
            script = str(ROOT / "benchmarks" / "scoring_peer.py")
            theirs[size] = ran([peer, script, str(model), str(size), str(output), *names], output)
        for name in (*TARGETS, "whole"):
            own[name] = min(own.get(name, float("inf")), ours[name]["seconds"])
            seconds, size = min((answer[name]["seconds"], size) for size, answer in theirs.items())
            best[name] = min(best.get(name, float("inf")), seconds)
            print(f"{name:<10} lm-eval is fastest with batch size {size}", flush=True)
        check(ours, theirs)
    return ours, own, best


def check(ours: dict[str, Any], theirs: dict[int, dict[str, Any]]) -> None:
    """Print how far the scores are apart; exit where that is too far."""
    for name in TARGETS:
        for size, answer in theirs.items():
            pairs = list(zip(ours[name]["scores"], answer[name]["scores"], strict=True))
            gap = max(abs(n - m) for a, b in pairs for n, m in zip(a[0], b[0], strict=True))
            same = sum(a[1] == b[1] for a, b in pairs)
            print(f"{name:<10} batch size {size:>2}: largest difference {gap:.1e} nats, "
                  f"right and wrong alike {same} of {len(pairs)}", flush=True)  # fmt: skip
            if gap > AGREED.get(name, AGREEMENT) or same < len(pairs):
                raise SystemExit(f"{name}: the scores differ")


def main() -> None:
    """Print agreement, seconds and ratios; exit 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has lm-eval")
    parser.add_argument("--size", choices=SIZES, default="9M")
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES, help="of lm-eval")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = "2"
    # Threads that spin while they wait would count the load of a shared machine.
    os.environ.update(OMP_WAIT_POLICY="PASSIVE", HF_HUB_OFFLINE="1", PYTHONPATH=str(ROOT))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = folder / "model"
        make_model(model, options.size)
        suites = write_suites(folder, options.items)
        ours, own, best = measured(
            folder, model, suites, options.peer, options.batches, options.runs
        )
    print(f"\n{'CPU seconds':<12}{'lm-eval':>10}{'lab':>10}{'ratio':>8}{'target':>8}  level, gap")
    missed = False
    for name, target in {**TARGETS, "whole": WHOLE}.items():
        ratio = best[name] / own[name]
        missed |= ratio < target
        gap = ours[name].get("gap")
        how = ours[name].get("level", "") + ("" if gap is None else f", {gap:.0e}")
        print(f"{name:<12}{best[name]:>10.2f}{own[name]:>10.2f}{ratio:>8.1f}{target:>8.1f}  {how}")
    beyond = ours["memory"]["peak"] - ours["memory"]["weights"]
    print(f"peak memory beyond the weights: {beyond / 1e6:,.0f} MB (limit {MEMORY / 1e6:,.0f})")
    missed |= beyond > MEMORY
    raise SystemExit(missed)


if __name__ == "__main__":
    main()
