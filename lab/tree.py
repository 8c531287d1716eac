"""Rows that begin alike, merged into trees in which a shared token stands once. No torch."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lab.rows import Row, common


@dataclass(frozen=True, slots=True)
class Tree:
    """Tokens that a model reads after a header, and what each row sees of them.

    `ids` are the tokens and `places` their positions in their rows; the tokens of row
    `rows[n]` stand at `paths[n]`, in order, without its last one, which is never read.
    """

    rows: tuple[int, ...]
    ids: array[int]
    places: array[int]
    paths: tuple[array[int], ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The rows of one item, by their numbers, the header they follow and their tree's size."""

    rows: tuple[int, ...]
    header: array[int]
    size: int


def families(rows: Sequence[Row]) -> tuple[Family, ...]:
    """Return the rows item by item, with such as begin alike side by side."""
    of: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        of.setdefault(row.item, []).append(number)
    for numbers in of.values():
        numbers.sort(key=lambda n: rows[n].ids)
    ordered = sorted(of.values(), key=lambda numbers: rows[numbers[0]].ids)
    return tuple(_family(rows, tuple(numbers)) for numbers in ordered)


def _family(rows: Sequence[Row], numbers: tuple[int, ...]) -> Family:
    header = rows[numbers[0]].ids[: rows[numbers[0]].header]
    return Family(numbers, header, len(plant(rows, numbers, len(header)).ids))


def packs(found: Iterable[Family], limit: int) -> Iterator[tuple[Family, ...]]:
    """Put families of one header together as long as their trees have at most `limit` tokens."""
    pack: list[Family] = []
    filled = 0
    for family in found:
        if pack and (filled + family.size > limit or family.header != pack[0].header):
            yield tuple(pack)
            pack, filled = [], 0
        pack.append(family)
        filled += family.size
    if pack:
        yield tuple(pack)


def plant(rows: Sequence[Row], numbers: Iterable[int], header: int) -> Tree:
    """Make the tree of these rows, of which neighbours share what they begin with."""
    ids, places = array("q"), array("q")
    paths: list[array[int]] = []
    chosen = tuple(numbers)
    before, path = array("q"), array("q")
    for number in chosen:
        read = rows[number].ids[header:-1]
        shared = common(before, read)
        path = path[:shared] + array("q", range(len(ids), len(ids) + len(read) - shared))
        ids += read[shared:]
        places.extend(range(header + shared, header + len(read)))
        paths.append(path)
        before = read
    return Tree(chosen, ids, places, tuple(paths))
