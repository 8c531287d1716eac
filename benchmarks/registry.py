"""What a release costs: over DVC and MLflow alone, to show, and beside a thousand others.

Run: python -m benchmarks.registry [--size GB] [--runs 3] [--only overhead|start|thousand]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.releasing import overhead, thousand

PARTS: dict[str, Callable[[Path, int, int], bool]] = {
    "overhead": overhead.main,
    "start": lambda place, size, runs: thousand.start(place, runs),
    "thousand": lambda place, size, runs: thousand.main(place, runs),
}


def main() -> None:
    """Print every part; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=float, default=2.0, help="GB of weights.")
    parser.add_argument("--runs", type=int, default=3, help="Of each; the least counts.")
    parser.add_argument("--only", choices=tuple(PARTS))
    asked = parser.parse_args()
    failed = []
    for part, act in PARTS.items():
        if asked.only in (None, part):
            print(f"## {part}", flush=True)
            with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
                if not act(Path(name), int(asked.size * 1e9), asked.runs):
                    failed.append(part)
    if failed:
        raise SystemExit(f"over a limit: {', '.join(failed)}")


if __name__ == "__main__":
    main()
