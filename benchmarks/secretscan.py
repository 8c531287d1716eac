"""Secrets and personal data: MB per CPU-second and what is found, against detect-secrets.

The text is made in the run: JSON lines of words, numbers, dates and addresses, with values of
every sample planted and counted. The peer reads a slice of it, in an environment of its own
(`python -m venv PEER; PEER/bin/pip install detect-secrets==1.5.0`). Reading, and starting the
peer's Python, are not counted.

Run: python -m benchmarks.secretscan [--peer PEER/bin/python] [--size 50] [--slice 0.5]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from security.secrets import RULES, Kind, scan
from security.secrets.finding import Finder, with_literals, with_re2
from security.secrets.samples import expand

LEAST_RE2, LEAST_PLAIN, RATIO = 50.0, 8.0, 100.0  # MB per CPU-second; times the peer's
EVERY = 60  # lines to one planted value
SEED = 7

_PEER = """
import json, sys, time
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
with default_settings():
    start = time.process_time()
    lines = sorted({s.line_number for s in scan_file(sys.argv[1])})
    print(json.dumps([time.process_time() - start, lines]))
"""


def made(size: int) -> tuple[bytes, dict[int, str]]:
    """Return a text of about `size` bytes, and the rule of what is planted by line."""
    random = Random(SEED)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(5_000)]
    templates = [(rule.id, t) for rule in RULES for t in rule.samples if "\n" not in t]
    lines: list[str] = []
    planted: dict[int, str] = {}
    left = size
    while left > 0:
        text = " ".join(random.choices(words, k=random.randint(20, 60)))
        if random.randrange(EVERY) == 0:
            planted[len(lines) + 1], template = random.choice(templates)
            text += f" {expand(template, random)} "
        line = (
            f'{{"id": {random.randrange(10**9)}, "text": "{text}", "score": {random.random():.6f}, '
            f'"date": "2024-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}", '
            f'"url": "https://host.example/{random.choice(words)}", "key": null}}\n'
        )
        lines.append(line)
        left -= len(line)
    return "".join(lines).encode(), planted


def ours(name: str, finder: Finder, data: bytes, planted: dict[int, str]) -> float:
    """Print what one finder found, and return its MB per CPU-second."""
    start = time.process_time()
    found = scan(data, finder)
    rate = len(data) / 1e6 / (time.process_time() - start)
    hits = {(hit.line, hit.rule) for hit in found.hits}
    right = sum((line, rule) in hits for line, rule in planted.items())
    other = len(hits) - right + sum(count for _, count in found.more)
    print(f"{name:20} {rate:8.2f} MB/s  {right:,} of {len(planted):,} found, {other} others")
    return rate if right == len(planted) and not other else 0.0


def peer(python: Path, data: bytes, planted: dict[int, str]) -> float:
    """Print what detect-secrets found in a text, and return its MB per CPU-second."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "slice.jsonl"
        file.write_bytes(data)
        done = subprocess.run(
            [python, "-c", _PEER, file], capture_output=True, check=True, text=True
        )
    seconds, lines = json.loads(done.stdout)
    rate = len(data) / 1e6 / float(seconds)
    kinds = {rule.id: rule.kind for rule in RULES}
    asked = {line for line, rule in planted.items() if kinds[rule] is Kind.SECRET}
    right, other = len(asked & set(lines)), len(set(lines) - set(planted))
    print(f"{'detect-secrets':20} {rate:8.2f} MB/s  {right:,} of {len(asked):,} secrets found on "
          f"{len(data) / 1e6:.2f} MB, {other} others")  # fmt: skip
    return rate


def main() -> None:
    """Print every line; exit non-zero where a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peer", type=Path, help="Python of an environment with detect-secrets.")
    parser.add_argument("--size", type=float, default=50.0, help="MB of the text.")
    parser.add_argument("--slice", type=float, default=0.5, help="MB of it for the peer.")
    asked = parser.parse_args()
    data, planted = made(int(asked.size * 1e6))
    print(f"{len(data) / 1e6:.1f} MB, {len(planted):,} values of {len(RULES)} rules planted")
    quick = ours("with google-re2", with_re2(), data, planted)
    plain = ours("without", with_literals(), data, planted)
    failed = [] if quick >= LEAST_RE2 else [f"google-re2 below {LEAST_RE2} MB/s, or a miss"]
    failed += [] if plain >= LEAST_PLAIN else [f"plain below {LEAST_PLAIN} MB/s, or a miss"]
    if asked.peer:
        part = data[: data.index(b"\n", int(asked.slice * 1e6)) + 1]
        last = part.count(b"\n")
        rate = peer(asked.peer, part, {n: rule for n, rule in planted.items() if n <= last})
        print(f"ratio {quick / rate:.0f}x with google-re2, {plain / rate:.0f}x without")
        failed += [] if quick / rate >= RATIO else [f"less than {RATIO:.0f}x detect-secrets"]
    sys.exit("\n".join(failed) if failed else 0)


if __name__ == "__main__":
    main()
