"""How often imports and locks are spoken of in real commits, and what it costs.

Run: python -m benchmarks.imports COUNT REPOSITORY...  (git folders; the newest COUNT commits of
each against their first parents; `-v` before COUNT prints each finding)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.checks import dependencies
from bot.checks.dependencies import Settings, closure, usage
from bot.finding import Finding
from bot.repository import GitWorld

RULES = {rule.id for rule in (*usage.RULES, *closure.RULES)}


def pairs(place: Path, count: int) -> Iterator[tuple[str, str]]:
    """Yield (parent, commit), newest first."""
    words = ["git", "-C", str(place), "log", "--first-parent", "--format=%H %P", f"-{count}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for row in map(str.split, done.stdout.splitlines()):
        if len(row) > 1:
            yield row[1], row[0]


def found(place: Path, base: str, head: str) -> list[Finding]:
    """Return what the check says of imports and locks."""
    settings = Settings()
    with GitWorld(place) as world:
        change = world.change(base, head)
        if dependencies.applies(change, settings):
            return []
        evidence = dependencies.collect(change, world, settings)
    return [f for f in dependencies.judge(evidence, settings) if f.rule in RULES]


def main() -> None:
    """Print one line for each repository, and the sum."""
    words = [word for word in sys.argv[1:] if word != "-v"]
    total, commits, told = Counter[tuple[str, str]](), 0, 0
    start = time.process_time()
    for place in map(Path, words[1:]):
        for base, head in pairs(place, int(words[0])):
            findings = found(place, base, head)
            commits, told = commits + 1, told + bool(findings)
            total.update((f.rule, f.severity.value) for f in findings)
            for finding in findings if "-v" in sys.argv else ():
                print(head[:8], finding.severity.value, finding.location.path, finding.message)
    for (rule, level), number in sorted(total.items()):
        print(f"{number:>5} {level:<8} {rule}")
    spent = time.process_time() - start
    print(f"{told} of {commits} commits are spoken of, {spent / max(commits, 1):.2f} CPU s each")


if __name__ == "__main__":
    main()
