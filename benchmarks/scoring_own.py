"""Score suites with lab; started by benchmarks/scoring.py.

Run: python -m benchmarks.scoring_own MODEL OUTPUT SUITE...
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from lab.folder import inspect
from lab.load import load, settle
from lab.score import score
from lab.suite import read_task


def main() -> None:
    """Write {suite: {"seconds": ..., "scores": ..., "level": ..., "gap": ...}}."""
    folder, output, *suites = sys.argv[1:]
    settle(threads=2)
    model = load(inspect(Path(folder)), "cpu")
    written = {}
    for suite in map(Path, suites):
        task = read_task(suite.stem, suite.read_bytes())
        start = time.process_time()
        found = score(model, task)
        written[suite.stem] = {
            "seconds": time.process_time() - start,
            "scores": [(item.nll, item.correct) for item in found.items],
            "level": found.level,
            "gap": found.gap,
        }
    Path(output).write_text(json.dumps(written))


if __name__ == "__main__":
    main()
