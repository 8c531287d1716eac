"""Interleaved runs of whole processes, in CPU seconds (user + system), children included."""

from __future__ import annotations

import resource
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def cpu_seconds(
    command: Sequence[str], cwd: Path, expect: Sequence[int] = (0,)
) -> tuple[float, str]:
    """Run once; return (CPU seconds, standard output). Raises on an unexpected exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in expect:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def interleaved(
    runs: int, work: Mapping[str, tuple[Sequence[str], Path]], expect: Sequence[int] = (0,)
) -> dict[str, float]:
    """Run every command `runs` times in turn; return the median CPU seconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(runs):
        for name, (command, cwd) in work.items():
            taken[name].append(cpu_seconds(command, cwd, expect)[0])
    return {name: statistics.median(values) for name, values in taken.items()}
