"""Rows that begin alike, merged into trees in which a shared token stands once. No torch."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lab.scoring.rows import Row, common

_GROUP = 32  # tokens more than all rows share, from which on a group may have its own header


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


def deepened(rows: Sequence[Row], limit: int) -> list[Row]:
    """Give each group of items that begin alike (those of one subject, say) a header of its own.

    Where its items fill several trees of at most `limit` tokens, which would each hold it.
    """
    of: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        of.setdefault(row.item, []).append(number)
    items = sorted(of.values(), key=lambda numbers: min(rows[n].ids for n in numbers))
    begins = [_begin([rows[n] for n in numbers]) for numbers in items]
    near = [common(*pair) for pair in pairwise(begins)]
    found = list(rows)
    shared_by_all = min((row.header for row in rows), default=0)
    for run in _runs([shared - shared_by_all for shared in near]) if rows else ():
        base = max(rows[n].header for k in run for n in items[k])
        head = min((near[k] for k in run[:-1]), default=0)
        own = sum(len(rows[n].ids) - head for k in run for n in items[k])
        more = head - base
        trees = min(len(run), -(-own // max(1, limit - more)))
        if more >= _GROUP and more * trees > head:
            for number in (n for k in run for n in items[k]):
                found[number] = replace(rows[number], header=head)
    return found


def _begin(rows: Sequence[Row]) -> array[int]:
    """Return what the rows of one item all begin with and only read."""
    first, last = min(row.ids for row in rows), max(row.ids for row in rows)
    size = min(common(first, last), *(len(row.ids) - row.scored - 1 for row in rows))
    return first[: max(0, size)]


def _runs(near: Sequence[int]) -> Iterator[list[int]]:
    """Part a sorted row of items where neighbours share far less than those beside them."""
    run = [0]
    for place, shared in enumerate(near):
        beside = max(near[max(0, place - 1) : place + 2])
        if 2 * shared < beside:
            yield run
            run = []
        run.append(place + 1)
    yield run


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
