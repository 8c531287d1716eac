"""The order in which a task's items are scored, and the looks at which scoring may end. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from dataclasses import astuple, replace

from lab.protocol import Gate, Item, Task

FIRST = 50  # independent units at the first look
LOOKS = 6
_GROWTH = 1.4  # from look to look, at least


def ordered(task: Task, limit: int) -> Task:
    """Return the task with at most `limit` items in an order that its content alone decides.

    Clusters stay together, so that looks can fall between them. No change of a model can
    choose which items are scored, or first.
    """
    seed = task.digest or _digest(task)

    def place(item: Item) -> bytes:
        kind, name = ("cluster", item.cluster) if item.cluster else ("item", item.id)
        return hashlib.sha256(f"{seed}\0{kind}\0{name}".encode()).digest()

    return replace(task, items=tuple(sorted(task.items, key=place)[:limit]))


def _digest(task: Task) -> str:
    content = json.dumps(sorted(astuple(item) for item in task.items))
    return hashlib.sha256(content.encode()).hexdigest()


def schedule(task: Task, gate: Gate) -> tuple[int, ...]:
    """Return the numbers of items at which to look: growing, between clusters, the last all.

    None has fewer than FIRST independent units, unless the task itself has not.
    """
    borders = _borders(task)
    units = len(borders)
    if not gate.early or units < FIRST * _GROWTH:
        return (len(task.items),)
    count = min(LOOKS, 1 + int(math.log(units / FIRST) / math.log(_GROWTH)))
    wanted = (FIRST * (units / FIRST) ** (k / (count - 1)) for k in range(count - 1))
    known = [seen for _, seen in borders]
    looks = {borders[bisect_left(known, round(want))][0] for want in wanted}
    return tuple(sorted(looks | {len(task.items)}))


def units(task: Task) -> dict[int, int]:
    """Return, for every number of items that cuts no cluster, the independent units in them."""
    return dict(_borders(task))


def _borders(task: Task) -> list[tuple[int, int]]:
    last = {item.cluster: place for place, item in enumerate(task.items) if item.cluster}
    seen: set[str] = set()
    found: list[tuple[int, int]] = []
    alone = reach = 0
    for place, item in enumerate(task.items):
        if item.cluster:
            seen.add(item.cluster)
            reach = max(reach, last[item.cluster])
        else:
            alone += 1
        if reach <= place:
            found.append((place + 1, alone + len(seen)))
    return found
