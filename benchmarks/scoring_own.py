"""Score suites with lab; started by benchmarks/scoring.py.

Run: python -m benchmarks.scoring_own MODEL OUTPUT SUITE...
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from lab.items.suite import read_task
from lab.model.folder import inspect
from lab.model.load import load, settle
from lab.scoring.score import score


def main() -> None:
    """Write {suite: {"seconds": ..., "scores": ..., "level": ..., "gap": ...}} and "memory"."""
    folder, output, *suites = sys.argv[1:]
    settle(threads=2)
    model = load(inspect(Path(folder)), "cpu")
    written: dict[str, dict[str, Any]] = {}
    for suite in map(Path, suites):
        task = read_task(suite.stem, suite.read_bytes())
        start = time.process_time()
        found = score(model, task)
        written[suite.stem] = {
            "seconds": time.process_time() - start,
            "scores": [(item.nats or [item.nll], item.correct) for item in found.items],
            "level": found.level,
            "gap": found.gap,
        }
    # What Linux counts in KiB; the weights are mapped, and so are part of the peak.
    peak = getrusage(RUSAGE_SELF).ru_maxrss * 1024
    weights = sum(path.stat().st_size for path in Path(folder).glob("*.safetensors"))
    print(f"peak memory {peak / 1e6:,.0f} MB, weights {weights / 1e6:,.0f} MB", flush=True)
    written["memory"] = {"seconds": 0.0, "peak": peak, "weights": weights}
    Path(output).write_text(json.dumps(written))


if __name__ == "__main__":
    main()
