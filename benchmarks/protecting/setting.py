"""Data, keys and commands that the parts share, and how runs are compared."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.timing import cpu_seconds

OURS = str(Path(sys.executable).with_name("modelwarden"))
FILES = 8  # of the large model
Command = Sequence[str | Path]


@dataclass(frozen=True)
class Setting:
    """Where the data lies, the peers, and how large and how often."""

    top: Path
    peers: Path
    age: str
    size: int  # bytes
    runs: int

    @cached_property
    def model(self) -> Path:
        """A folder of safetensors files of random bytes, in the page cache."""
        folder = self.top / "model"
        folder.mkdir()
        for number in range(FILES):
            write_tensors(folder / f"model-{number}.safetensors", self.size // FILES)
        return folder

    @cached_property
    def key(self) -> Path:
        """A P-256 key without passphrase; its public key beside it."""
        path = self.top / "release.key"
        run([OURS, "keys", "generate", path, "--no-passphrase", "--log", self.log])
        return path

    @cached_property
    def identity(self) -> Path:
        """A classic age identity, which age 1.1 reads; its recipient beside it."""
        path = self.top / "mine.age"
        run([OURS, "keys", "generate", path, "--kind", "age-x25519", "--no-passphrase",
             "--log", self.log])  # fmt: skip
        return path

    @property
    def log(self) -> Path:
        """An audit log of the benchmark's own."""
        return self.top / "audit.jsonl"

    @property
    def recipient(self) -> str:
        """Whom the benchmark seals to."""
        return self.identity.with_suffix(".age.pub").read_text().split()[-1]


def write_tensors(path: Path, size: int, tensor: int = 8 << 20) -> None:
    """Write a safetensors file of about `size` bytes in tensors of 8 MiB."""
    count = max(1, size // tensor)
    header = {
        f"layer.{n}.weight": {
            "dtype": "F32", "shape": [tensor // 4], "data_offsets": [n * tensor, (n + 1) * tensor],
        }
        for n in range(count)
    }  # fmt: skip
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(count):
            file.write(os.urandom(tensor))


def run(command: Command) -> str:
    """Run once; return what it printed."""
    return cpu_seconds([str(part) for part in command], Path.cwd())[1]


def pinned(command: Command, cores: str = "0") -> list[str]:
    """Return the command bound to these cores."""
    return ["taskset", "-c", cores, *map(str, command)]


def medians(
    runs: int,
    work: Mapping[str, Command],
    before: Callable[[], None] = lambda: None,
    *,
    wall: bool = False,
) -> dict[str, float]:
    """Run every command in turn, `before` ahead of each; return median seconds (CPU, or wall)."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(runs):
        for name, command in work.items():
            before()
            start = time.perf_counter()
            spent, _ = cpu_seconds([str(part) for part in command], Path.cwd())
            taken[name].append(time.perf_counter() - start if wall else spent)
    return {name: statistics.median(values) for name, values in taken.items()}


def ratio(label: str, ours: float, peer: float, least: float) -> list[str]:
    """Print how many times faster we are; return the line where that is less than wanted."""
    line = f"{label}: {peer / ours:.2f} times (limit {least})"
    print(f"  {line}", flush=True)
    return [] if peer / ours >= least else [line]


def evict(*paths: Path) -> None:
    """Put the clean pages of these files out of the page cache."""
    for path in (path for path in paths if path.exists()):
        every = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        for file in every:
            fd = os.open(file, os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def shell(line: str) -> Command:
    """Return a command that runs a line of tools one after the other."""
    return ["bash", "-ec", line]


def version(command: Command) -> str:
    """Return the first line that a program says of its version."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0]
