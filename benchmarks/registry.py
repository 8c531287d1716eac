"""What a release costs: over DVC and MLflow alone, to show, and beside a thousand others.

Run: python -m benchmarks.registry [--size GB] [--runs 3] [--only overhead]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.releasing import overhead


def main() -> None:
    """Print every part; exit 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=float, default=2.0, help="GB of weights.")
    parser.add_argument("--runs", type=int, default=3, help="Of each; the least counts.")
    parser.add_argument("--only", choices=("overhead",))
    asked = parser.parse_args()
    holds = True
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        place = Path(name)
        holds &= overhead.main(place, int(asked.size * 1e9), asked.runs)
    raise SystemExit(not holds)


if __name__ == "__main__":
    main()
