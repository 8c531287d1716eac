"""Places boxes in layers from top to bottom, so that lines run beside boxes, never below them.

Layers by longest path, order by barycentres, places by isotonic regression: the usual three
steps of layered drawing (Sugiyama, Tagawa, Toda 1981), each in its simplest form.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP, RISE, MARGIN = 18.0, 44.0, 16.0  # between boxes, between layers, around all
WIDTH = 1040.0  # of a layer, as far as boxes can be placed higher instead
THREAD = 8.0  # room of a line that passes a layer
SWEEPS = 12
PULL = 0.3  # of the middle of the sheet, where a neighbour's is 1

Size = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Placed:
    """A box: its left upper corner and size. `floor` is where its layer ends."""

    name: str
    x: float
    y: float
    width: float
    height: float
    floor: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another: (x, top, bottom) of each layer it passes, ends included."""

    of: str
    to: str
    stops: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where everything is, on a sheet of `width` by `height`."""

    boxes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    width: float
    height: float


def layout(sizes: Mapping[str, Size], edges: Iterable[tuple[str, str]]) -> Drawing:
    """Place boxes of these sizes.

    Edges that would close a circle are left out, and those that a longer way says as well.
    """
    kept = _direct(_acyclic(sizes, dict.fromkeys(edges)))
    layer = _layers(sizes, kept)
    chains = [_chain(edge, layer) for edge in kept]
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in sizes:
        rows[layer[name]].append(name)
    for chain in chains:
        for step, name in enumerate(chain[1:-1], layer[chain[0]] + 1):
            rows[step].append(name)
    near: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        for above, below in pairwise(chain):
            near[above].append(below)
            near[below].append(above)
    widths = {name: sizes[name][0] if name in sizes else THREAD for row in rows for name in row}
    centres = _centres(rows, near, widths)
    return _drawing(rows, chains, sizes, centres)


def _acyclic(sizes: Mapping[str, Size], edges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    below: dict[str, list[str]] = defaultdict(list)
    kept = []
    for of, to in edges:
        if of in sizes and to in sizes and of != to and not _reaches(to, of, below):
            below[of].append(to)
            kept.append((of, to))
    return kept


def _direct(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    below: dict[str, list[str]] = defaultdict(list)
    for of, to in edges:
        below[of].append(to)
    return [
        (of, to)
        for of, to in edges
        if not any(_reaches(one, to, below) for one in below[of] if one != to)
    ]


def _reaches(start: str, goal: str, below: Mapping[str, list[str]]) -> bool:
    open_, seen = [start], {start}
    while open_:
        name = open_.pop()
        if name == goal:
            return True
        fresh = [one for one in below.get(name, ()) if one not in seen]
        seen.update(fresh)
        open_ += fresh
    return False


def _layers(sizes: Mapping[str, Size], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Place each box right above what it comes into; those with nothing above make room."""
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for of, to in edges:
        above[to].append(of)
        below[of].append(to)
    order = _sorted(sizes, above, below)
    first: dict[str, int] = {}
    for name in order:
        first[name] = max((first[one] + 1 for one in above[name]), default=0)
    last: dict[str, int] = {}
    for name in reversed(order):
        last[name] = min((last[one] - 1 for one in below[name]), default=first[name])
    free = [name for name in sizes if not above[name] and last[name] > 0]
    for name in free:  # a full layer: go up to the next that is not
        while last[name] > 0 and _full(last[name], last, sizes):
            last[name] -= 1
    return last


def _full(number: int, layer: Mapping[str, int], sizes: Mapping[str, Size]) -> bool:
    widths = [sizes[name][0] + GAP for name, one in layer.items() if one == number]
    return len(widths) > 1 and sum(widths) > WIDTH


def _sorted(
    sizes: Mapping[str, Size], above: Mapping[str, list[str]], below: Mapping[str, list[str]]
) -> list[str]:
    open_ = {name: len(above.get(name, ())) for name in sizes}
    ready = [name for name in sizes if not open_[name]]
    for name in ready:  # grows while it is read
        for one in below.get(name, ()):
            open_[one] -= 1
            if not open_[one]:
                ready.append(one)
    return ready


def _chain(edge: tuple[str, str], layer: Mapping[str, int]) -> list[str]:
    of, to = edge
    passed = [f"{of}\0{to}\0{number}" for number in range(layer[of] + 1, layer[to])]
    return [of, *passed, to]


def _centres(
    rows: list[list[str]], near: Mapping[str, list[str]], widths: Mapping[str, float]
) -> dict[str, float]:
    """Order every row by where its neighbours are, then place it as near to them as fits."""
    centres: dict[str, float] = {}
    for row in rows:
        whole = sum(widths[name] + GAP for name in row)
        centres |= _fit(row, [WIDTH / 2 - whole / 2] * len(row), widths)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 else reversed(rows):
            wish = {
                name: (sum(centres[one] for one in near[name]) + PULL * WIDTH / 2)
                / (len(near[name]) + PULL)
                for name in row
            }
            if sweep < SWEEPS - 2:
                row.sort(key=lambda name: wish[name])
            centres |= _fit(row, [wish[name] for name in row], widths)
    return centres


def _fit(
    row: Sequence[str], wishes: Sequence[float], widths: Mapping[str, float]
) -> dict[str, float]:
    """Return centres with the least squares from the wishes that keep order and gaps."""
    offsets, at = [], 0.0
    for name in row:
        offsets.append(at + widths[name] / 2)
        at += widths[name] + GAP
    pools: list[tuple[float, int]] = []  # mean and number of those that stand side by side
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] >= mean:
            other, others = pools.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        pools.append((mean, count))
    starts = [mean for mean, count in pools for _ in range(count)]
    return {name: start + offset for name, start, offset in zip(row, starts, offsets, strict=True)}


def _drawing(
    rows: list[list[str]],
    chains: list[list[str]],
    sizes: Mapping[str, Size],
    centres: Mapping[str, float],
) -> Drawing:
    half = {name: (sizes[name][0] if name in sizes else THREAD) / 2 for name in centres}
    shift = MARGIN - min((centres[name] - half[name] for name in centres), default=0.0)
    spans: dict[str, tuple[float, float]] = {}
    boxes, top = [], MARGIN
    for row in rows:
        floor = top + max((sizes[name][1] for name in row if name in sizes), default=0.0)
        for name in row:
            spans[name] = (top, floor)
            if name in sizes:
                width, height = sizes[name]
                left = centres[name] + shift - width / 2
                boxes.append(Placed(name, left, top, width, height, floor))
        top = floor + RISE
    lines = tuple(
        Line(c[0], c[-1], tuple((centres[name] + shift, *spans[name]) for name in c))
        for c in chains
    )
    right = max((box.x + box.width for box in boxes), default=MARGIN)
    right = max([right, *(stop[0] for line in lines for stop in line.stops)])
    return Drawing(tuple(boxes), lines, right + MARGIN, max(top - RISE, MARGIN) + MARGIN)
