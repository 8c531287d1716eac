"""How long `modelwarden --help` takes, and measuring ten items, against imports alone.

Run: python -m benchmarks.startup
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.scoring import make_model, write_suites
from benchmarks.timing import interleaved

ROOT = Path(__file__).resolve().parents[1]
MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
LIMIT = 0.25
RUNS = 5
HELP, MEASURE = "modelwarden --help", "measure ten items"
TORCH, TRANSFORMERS, MODEL = "import torch", "import transformers", "import a model's class"


def main() -> None:
    """Print the medians and the ratios; exit 1 where --help is above the limit."""
    with tempfile.TemporaryDirectory() as place:
        model = Path(place, "model")
        make_model(model, "1M")
        suite = next(path for path in write_suites(Path(place), 10) if path.stem == "cloze-0")
        measure = [MODELWARDEN, "measure", str(model), "--suite", str(suite), "--no-cache"]
        imports = {TORCH: "torch", TRANSFORMERS: "transformers",
                   MODEL: "transformers.models.llama.modeling_llama"}  # fmt: skip
        medians = interleaved(
            RUNS,
            {
                HELP: ([MODELWARDEN, "--help"], ROOT),
                MEASURE: ([*measure, "--device", "cpu"], ROOT),
                **{
                    name: ([sys.executable, "-c", f"import {module}"], ROOT)
                    for name, module in imports.items()
                },
            },
        )
    for name, seconds in medians.items():
        print(f"{name:<24} {seconds:6.3f} CPU-s (median of {RUNS})")
    ratio = medians[HELP] / medians[TRANSFORMERS]
    print(f"--help over import transformers: {ratio:.3f} (limit {LIMIT})")
    for name in (TORCH, MODEL):
        print(f"ten items over {name}: {medians[MEASURE] / medians[name]:.2f}")
    raise SystemExit(ratio > LIMIT)


if __name__ == "__main__":
    main()
