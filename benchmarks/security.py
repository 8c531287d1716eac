"""Signing, verifying, sealing and scanning against the tools that do one of them, on the same data.

Whole commands in turn, in CPU seconds of the command and its children (medians), on one core
where a line says so; each part first checks that both sides agree. The peers live in an
environment of their own (`python -m venv PEERS; PEERS/bin/pip install --group peers`), `age` is
a program of the system.

Run: python -m benchmarks.security --peers PEERS [--age age] [--size 4] [--only PART ...]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.protecting import scans, seals, signs
from benchmarks.protecting.setting import Setting

PARTS: dict[str, Callable[[Setting], list[str]]] = {
    "limit": signs.limit,
    "sign": signs.large,
    "small": signs.small,
    "incremental": signs.incremental,
    "seal": seals.stream,
    "rewrap": seals.rewrap,
    "range": seals.ranged,
    "onepass": seals.onepass,
    "scan": scans.opcodes,
    "start": scans.start,
}


def main() -> None:
    """Print every part; exit non-zero where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", type=Path, required=True, help="Environment of the peers.")
    parser.add_argument("--age", default="age", help="The age program.")
    parser.add_argument("--size", type=float, default=4.0, help="GB of the large model.")
    parser.add_argument("--runs", type=int, default=3, help="Of each command.")
    parser.add_argument("--only", choices=PARTS, action="append", help="Part; repeatable.")
    asked = parser.parse_args()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        setting = Setting(Path(name), asked.peers, asked.age, int(asked.size * 1e9), asked.runs)
        for part in asked.only or PARTS:
            print(f"## {part}", flush=True)
            failed += PARTS[part](setting)
    sys.exit("\n".join(failed) if failed else 0)


if __name__ == "__main__":
    main()
