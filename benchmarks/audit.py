"""The audit against the tools that do one part of it each, on the same input, in one run.

Every part is a benchmark of its own, which first checks that both sides agree; this runs them one
after the other. The peers live in an environment of their own: `python -m venv PEERS;
PEERS/bin/pip install --group audit-peers`. DATA is a folder of real texts, locks and advisories.

Run: python -m benchmarks.audit --peers PEERS --data DATA [--only PART ...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Words = Callable[[str, str], tuple[str, ...]]  # the peers' Python and DATA to a module and options

PARTS: dict[str, Words] = {
    "licence texts as found in the wild": lambda peer, data: ("licensetexts", "--sample", "8"),
    "licence texts, and scancode-toolkit": lambda peer, data: (
        "licensetexts", "--peer", peer, "--sample", "8",
    ),
    "installed packages, and pip-licenses": lambda peer, data: (
        "packagelicenses", "--peer", peer,
    ),
    "advisories, and every version matched by `packaging` alone": lambda peer, data: (
        "advisories", data,
    ),
    "histories of manifests, and other readers": lambda peer, data: (
        "histories", f"{data}/histories",
    ),
    "names of packages": lambda peer, data: ("names", data),
    "secrets, and detect-secrets": lambda peer, data: ("secretscan", "--peer", peer),
    "duplicates and leaks, and datasketch": lambda peer, data: ("duplicates", "--peer", peer),
    "the whole check of one lock and 50 files": lambda peer, data: ("wholecheck", data),
}  # fmt: skip


def main() -> None:
    """Run every part; exit non-zero where one breaks a limit or does not agree."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", type=Path, required=True, help="Environment of the peers.")
    parser.add_argument("--data", type=Path, required=True, help="Real texts, locks, advisories.")
    parser.add_argument("--only", action="append", default=[], help="Part of a name; repeatable.")
    asked = parser.parse_args()
    peer, data = str(asked.peers.absolute() / "bin" / "python"), str(asked.data.absolute())
    broken = []
    for name, words in PARTS.items():
        if asked.only and not any(part in name for part in asked.only):
            continue
        module, *options = words(peer, data)
        print(f"# {name}\n", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *options])
        if done.returncode:
            broken.append(name)
        print(flush=True)
    sys.exit("broken: " + "; ".join(broken) if broken else 0)


if __name__ == "__main__":
    main()
