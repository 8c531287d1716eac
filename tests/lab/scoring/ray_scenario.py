"""A cluster of two nodes on this machine, a worker killed, a broken model; prints JSON.

A program of its own: Ray starts processes, and warns of things that are not ours.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# Else Ray takes 127.0.0.1 to mean the machine's other addresses. A node at 127.0.0.1 is heard
# by nobody else.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
NODE: dict[str, Any] = {
    "num_cpus": 1,
    "include_dashboard": False,
    "node_ip_address": "127.0.0.1",
    "object_store_memory": 80 << 20,
    "memory": 3 << 30,
}


def main() -> None:
    """Score with one worker, with two of which one dies, and a model that fails."""
    from ray.cluster_utils import Cluster

    from lab.errors import LabError
    from lab.protocol import Item, Kind, ModelScores, Task, Usage
    from lab.scoring.cluster import measure_on_ray
    from tests.lab.models import TEXT

    model, broken = map(Path, sys.argv[1:3])
    words = re.findall(r"\w+", TEXT[0])
    texts = [" ".join(words[(n * k) % 13] for k in range(1, 16)) for n in range(1024)]
    task = Task("texts", tuple(Item(str(n), "", (t,)) for n, t in enumerate(texts)), Kind.TEXT)
    said: dict[str, Any] = {}

    def bare(scores: ModelScores) -> ModelScores:
        return replace(
            scores, tasks=tuple(replace(t, usage=Usage()) for t in scores.tasks), notes=()
        )

    killed: list[int] = []

    def kill_once(done: int, total: int) -> None:
        if not killed:
            killed.append(kill_a_busy_worker())

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        said["loopback"] = list(listening_elsewhere())
        one = measure_on_ray(cluster.address, "m", model, [task], "cpu")
        try:
            measure_on_ray(cluster.address, "m", broken, [task], "cpu")
        except LabError as error:
            said["failure"] = [type(error).__name__, error.message]
        cluster.add_node(**NODE)
        two = measure_on_ray(cluster.address, "m", model, [task], "cpu", progress=kill_once)
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]
    said["same"] = bare(one) == bare(two)
    said["ids"] = [item.id for item in two.tasks[0].items] == [item.id for item in task.items]
    said["notes"] = [one.notes, two.notes]
    said["seconds"] = two.tasks[0].usage.cpu
    said["tokens"] = [one.tasks[0].usage.tokens, two.tasks[0].usage.tokens]
    sys.stdout.write("\n" + json.dumps(said) + "\n")


def kill_a_busy_worker() -> int:
    """Kill one of our own workers while it scores; return its id."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for pid in descendants(os.getpid()):
            if title(pid).startswith("ray::_score"):
                os.kill(pid, signal.SIGSTOP)
                if title(pid).startswith("ray::_score"):  # and not just done
                    os.kill(pid, signal.SIGKILL)
                    return pid
                os.kill(pid, signal.SIGCONT)
    raise SystemExit("no worker was busy")


def descendants(parent: int) -> Iterator[int]:
    """Yield the processes that this one started, and theirs."""
    for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, read(tasks).split()):
            yield child
            yield from descendants(child)


def listening_elsewhere() -> Iterator[str]:
    """Yield sockets of ours that the network could reach."""
    inodes = set()
    for pid in (os.getpid(), *descendants(os.getpid())):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(link.readlink()))
            except OSError:
                continue
    for table in ("tcp", "tcp6"):
        for line in read(Path("/proc/net") / table).splitlines()[1:]:
            fields = line.split()
            local = fields[1].split(":")[0]
            # State 0A listens; 127.0.0.1 ends in 0100007F, ::1 in 01000000.
            if (
                fields[3] == "0A"
                and f"socket:[{fields[9]}]" in inodes
                and not local.endswith(("0100007F", "01000000"))
            ):
                yield fields[1]


def title(pid: int) -> str:
    """Return what a process calls itself, "" where it is gone."""
    return read(Path(f"/proc/{pid}/cmdline"))


def read(path: Path) -> str:
    """Return the file, "" where its process is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


if __name__ == "__main__":
    main()
