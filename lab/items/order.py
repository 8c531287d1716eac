"""The order in which a task's items are scored, and the looks at which scoring may end. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from dataclasses import astuple, dataclass, replace

from lab.protocol import Gate, Item, Task

FIRST = 50  # independent units at the first look
LOOKS = 8
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


@dataclass(frozen=True, slots=True)
class Look:
    """A place to look: how many items, and how many independent units in them."""

    items: int
    units: int


def schedule(task: Task, gate: Gate) -> tuple[int, ...]:
    """Return the numbers of items at which to look: growing, between clusters, the last all.

    None has fewer than FIRST independent units, unless the task itself has not.
    """
    return tuple(look.items for look in looks(task, gate))


def looks(task: Task, gate: Gate) -> tuple[Look, ...]:
    """Return the looks of the schedule."""
    borders = _borders(task)
    last = borders[-1]
    if not gate.early or last.units < FIRST * _GROWTH:
        return (last,)
    count = min(LOOKS, 1 + int(math.log(last.units / FIRST) / math.log(_GROWTH)))
    wanted = (FIRST * (last.units / FIRST) ** (k / (count - 1)) for k in range(count - 1))
    found = {bisect_left(borders, round(want), key=lambda look: look.units) for want in wanted}
    return (*(borders[place] for place in sorted(found - {len(borders) - 1})), last)


def _borders(task: Task) -> list[Look]:
    """Return every place that cuts no cluster."""
    last = {item.cluster: place for place, item in enumerate(task.items) if item.cluster}
    seen: set[str] = set()
    found: list[Look] = []
    alone = reach = 0
    for place, item in enumerate(task.items):
        if item.cluster:
            seen.add(item.cluster)
            reach = max(reach, last[item.cluster])
        else:
            alone += 1
        if reach <= place:
            found.append(Look(place + 1, alone + len(seen)))
    return found
