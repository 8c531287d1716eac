"""How long `modelwarden --help` takes, against importing transformers.

Run: python -m benchmarks.startup
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.timing import interleaved

ROOT = Path(__file__).resolve().parents[1]
MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
LIMIT = 0.25


def main() -> None:
    """Print the medians and the ratio; exit 1 above the limit."""
    work = {
        "modelwarden --help": ([MODELWARDEN, "--help"], ROOT),
        "import transformers": ([sys.executable, "-c", "import transformers"], ROOT),
    }
    medians = interleaved(10, work)
    for name, seconds in medians.items():
        print(f"{name:<24} {seconds:6.3f} CPU-s (median of 10)")
    ratio = medians["modelwarden --help"] / medians["import transformers"]
    print(f"ratio {ratio:.3f} (limit {LIMIT})")
    raise SystemExit(ratio > LIMIT)


if __name__ == "__main__":
    main()
