"""The tensor store on real fine-tunes, and against `cp` and `dvc add` on large weights.

Fine-tunes: a small Llama is trained here, then trained on in three ways, several versions each;
told are the bytes that the store and whole files take. Speed: wall and CPU seconds in turn, the
best of each, of weights that lie in the page cache, into a new folder each time; dirty pages are
written out between. Exits non-zero where a file that comes back is another.

Run: python -m benchmarks.tensorstore [--size 2] [--runs 3] [--versions 5] [--only fine-tunes]
"""

from __future__ import annotations

import argparse
import filecmp
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from registry.tensorstore import get, put

SHARDS, SIDE, NORMS = 8, 2048, 16  # files; a matrix has SIDE x SIDE numbers of two bytes


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """Return what `put` takes."""
    return [(path.name, path) for path in sorted(folder.iterdir())]


def agree(one: Path, other: Path) -> None:
    """Exit where two folders hold other bytes."""
    names = [path.name for path in sorted(one.iterdir())]
    _, wrong, missing = filecmp.cmpfiles(one, other, names, shallow=False)
    if wrong or missing or len(names) != len(list(other.iterdir())):
        sys.exit(f"{other} holds other bytes than {one}: {wrong} {missing}")


def small_model() -> Any:
    """Return a Llama of some 6 million parameters."""
    import torch
    from transformers.models.llama import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=4000,
            hidden_size=256,
            intermediate_size=688,
            num_hidden_layers=6,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=128,
        )
    )


def train(model: Any, steps: int, seed: int) -> None:
    """Train what may be trained on made-up text with a pattern in it."""
    import torch

    torch.manual_seed(seed)
    wanted = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(wanted, lr=1e-4)
    for _ in range(steps):
        start = torch.randint(4000, (8, 1))
        ids = (start + torch.arange(64) * (seed + 3)) % 4000
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def all_weights(model: Any, seed: int) -> None:
    """Train every weight."""
    train(model, 5, seed)


def last_layers(model: Any, seed: int) -> None:
    """Train the last block, the last norm and the head."""
    for name, one in model.named_parameters():
        one.requires_grad = name.startswith(("model.layers.5.", "model.norm", "lm_head"))
    train(model, 5, seed)


def merged_lora(model: Any, seed: int) -> None:
    """Train adapters of rank 8 of the queries and values, and merge them."""
    import torch
    from torch.nn.utils import parametrize

    class LowRank(torch.nn.Module):
        def __init__(self, side: int) -> None:
            super().__init__()
            self.one = torch.nn.Parameter(torch.randn(side, 8) * 0.02)
            self.other = torch.nn.Parameter(torch.zeros(8, side))

        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return weight + self.one @ self.other

    model.requires_grad_(False)
    layers = [part for n, part in model.named_modules() if n.endswith(("q_proj", "v_proj"))]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", LowRank(256))
    train(model, 5, seed)
    for layer in layers:
        parametrize.remove_parametrizations(layer, "weight")


WAYS: dict[str, Callable[[Any, int], None]] = {
    "LoRA, merged": merged_lora,
    "last layers": last_layers,
    "all weights": all_weights,
}


def fine_tunes(place: Path, versions: int) -> None:
    """Print what `versions` of each way of training on take."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    base = small_model()
    train(base, 5, 0)
    print(f"{versions} versions of", "whole", "by tensor", "share", sep="\t")
    for way, change in WAYS.items():
        model = small_model()
        model.load_state_dict(base.state_dict())
        cache, whole, kept = place / "cache", 0, 0
        for number in range(versions):
            if number:
                change(model, number)
            model.requires_grad_(True)
            folder = place / str(number)
            model.to(torch.bfloat16).save_pretrained(folder)
            model.to(torch.float32)
            stored = put(files_of(folder), cache)
            whole, kept = whole + stored.size, kept + stored.added
            get(stored, cache, place / "back")
            agree(folder, place / "back")
            shutil.rmtree(place / "back")
        print(way, f"{whole / 1e6:.1f} MB", f"{kept / 1e6:.1f} MB", f"{kept / whole:.1%}", sep="\t")
        for folder in list(place.iterdir()):
            shutil.rmtree(folder)


def large(folder: Path, size: int) -> None:
    """Write weights of about `size` bytes."""
    random = np.random.default_rng(0)
    count = max(1, size // SHARDS // (SIDE * SIDE * 2))
    for shard in range(SHARDS):
        found: dict[str, Any] = {}
        for number in range(count):
            found[f"{number}.weight"] = random.integers(0, 1 << 16, (SIDE, SIDE), np.uint16)
            for norm in range(NORMS):
                found[f"{number}.{norm}.norm"] = random.integers(0, 1 << 16, SIDE, np.uint16)
        save_file(found, folder / f"model-{shard}.safetensors")


def dvc_ready(source: Path, place: Path) -> Callable[[], None]:
    """Return what lets DVC add the folder, with a cache of hard links: what it does best."""
    environment = dict(os.environ, DVC_NO_ANALYTICS="1")

    def run(*words: str) -> None:
        command = [sys.executable, "-m", "dvc", *words, "--quiet"]
        subprocess.run(command, cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)

    run("init", "--no-scm")
    run("config", "cache.type", "hardlink,copy")
    for path in source.iterdir():
        (place / "in").mkdir(exist_ok=True)
        shutil.copyfile(path, place / "in" / path.name)
    return lambda: run("add", "in")


def cpu() -> float:
    """Return the CPU seconds of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(
    runs: int, work: dict[str, Callable[[Path], Callable[[], object]]], place: Path
) -> Iterator[str]:
    """Do each in turn in a folder of its own; yield lines of the best and ratios to the first."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(runs):
        for name, act in work.items():
            folder = place / "work"
            folder.mkdir()
            ready = act(folder)
            os.sync()
            begun, used = time.perf_counter(), cpu()
            ready()
            taken[name].append((time.perf_counter() - begun, cpu() - used))
            shutil.rmtree(folder)
    first: tuple[float, ...] = ()
    yield "\twall\tratio\tCPU\tratio"
    for name, pairs in taken.items():
        best = tuple(min(each) for each in zip(*pairs, strict=True))
        first = first or best
        told = [f"{one:.2f} s\t{one / two:.2f}x" for one, two in zip(best, first, strict=True)]
        yield "\t".join((name, *told))


def speed(place: Path, size: int, runs: int) -> None:
    """Print the time that each takes for the same bytes."""
    source, cache, back = place / "in", place / "cache", place / "back"
    source.mkdir()
    large(source, size)
    stored = put(files_of(source), cache)
    get(stored, cache, back)
    agree(source, back)
    shutil.rmtree(back)
    print(f"{stored.size / 1e9:.2f} GB in {SHARDS} files, {stored.objects} objects")

    def copy(folder: Path) -> Callable[[], object]:
        command = ["cp", "-r", "--reflink=never", str(source), str(folder)]
        return lambda: subprocess.run(command, check=True)

    work: dict[str, Callable[[Path], Callable[[], object]]] = {
        "cp": copy,
        "put": lambda folder: lambda: put(files_of(source), folder),
        "put again": lambda folder: lambda: put(files_of(source), cache),
        "get": lambda folder: lambda: get(stored, cache, folder),
        "dvc add": lambda folder: dvc_ready(source, folder),
    }
    for line in timed(runs, work, place):
        print(line, flush=True)


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=float, default=2.0, help="GB of the large weights.")
    parser.add_argument("--runs", type=int, default=3, help="Of each.")
    parser.add_argument("--versions", type=int, default=5, help="Of each fine-tune, base included.")
    parser.add_argument("--only", choices=("fine-tunes", "speed"))
    asked = parser.parse_args()
    for part in ("fine-tunes", "speed"):
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
            if asked.only in (None, part):
                print(f"## {part}", flush=True)
                if part == "speed":
                    speed(Path(name), int(asked.size * 1e9), asked.runs)
                else:
                    fine_tunes(Path(name), asked.versions)


if __name__ == "__main__":
    main()
