"""Duplicates among records: by the same words first, then by the likeness of their shingles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.data.sketch import Sketch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pairs = NDArray[np.int64]
    Shingles = NDArray[np.uint32]
    # (shelf, its rows wanted) -> their shingles by row
    Fetch = Callable[[int, frozenset[int]], dict[int, Shingles]]

PAIRS = 500_000  # that are compared


@dataclass(frozen=True, slots=True)
class Place:
    """A record: the number of its shelf, and its line there."""

    shelf: int
    line: int


@dataclass(frozen=True, slots=True)
class Twin:
    """A new record that says what an older one says; `likeness` is 1 for the same words."""

    new: Place
    old: Place
    likeness: float


@dataclass(frozen=True, slots=True)
class Shelf:
    """The sketch of one file, and which of its records are new."""

    sketch: Sketch
    new: NDArray[np.bool_]


def shelves_of(
    standing: Sequence[Sketch], after: Sequence[Sketch], before: Sequence[Sketch]
) -> tuple[Shelf, ...]:
    """Put files that stay, then files that change, on shelves.

    A record of a changed file is new unless the files before the change had it, as often.
    """
    import numpy as np

    stays = tuple(Shelf(old, np.zeros(len(old.digests), bool)) for old in standing)
    if not after:
        return stays
    digests = np.concatenate([one.digests for one in after])
    order = np.argsort(digests, kind="stable")
    ranks = np.empty(len(digests), np.int64)
    ranks[order] = np.arange(len(digests)) - np.searchsorted(digests[order], digests[order])
    past = np.sort(np.concatenate([np.empty(0, np.uint64), *(old.digests for old in before)]))
    had = np.searchsorted(past, digests, "right") - np.searchsorted(past, digests, "left")
    new = (ranks >= had) & (digests != 0)
    ends = np.cumsum([len(one.digests) for one in after])[:-1]
    return stays + tuple(map(Shelf, after, np.split(new, ends)))


@dataclass(frozen=True, slots=True)
class Twins:
    """What was found; `partial` where there were more candidates than are compared."""

    found: tuple[Twin, ...]
    partial: bool


def twins(shelves: Sequence[Shelf], threshold: float, fetch: Fetch) -> Twins:
    """Find, for each new record, an older or earlier one that is its duplicate.

    Candidates share a band and are compared shingle by shingle (Jaccard).
    """
    import numpy as np

    shelf = np.concatenate([np.full(len(s.new), n) for n, s in enumerate(shelves)])
    row = np.concatenate([np.arange(len(s.new)) for s in shelves])
    new = np.concatenate([s.new for s in shelves])
    order = np.argsort(new, kind="stable")  # what was there before comes first
    shelf, row, new = shelf[order], row[order], new[order]
    digests = np.concatenate([s.sketch.digests for s in shelves])[order]
    bands = np.concatenate([s.sketch.bands for s in shelves])[order]
    firsts = _firsts(digests)
    same = np.flatnonzero(new & (firsts != np.arange(len(new))))
    likenesses = {int(place): (int(firsts[place]), 1.0) for place in same}
    pairs = _candidates(bands, new, firsts == np.arange(len(new)))
    partial = len(pairs) > PAIRS
    pairs = pairs[:PAIRS]
    held = _fetched(np.unique(pairs), shelf, row, fetch)
    for older, newer in pairs.tolist():
        if newer not in likenesses and older in held and newer in held:
            likeness = jaccard(held[older], held[newer])
            if likeness >= threshold:
                likenesses[newer] = older, likeness

    def place(at: int) -> Place:
        return Place(int(shelf[at]), int(shelves[shelf[at]].sketch.lines[row[at]]))

    found = (Twin(place(n), place(o), round(like, 3)) for n, (o, like) in likenesses.items())
    return Twins(tuple(sorted(found, key=lambda t: (t.new.shelf, t.new.line))), partial)


def jaccard(one: Shingles, other: Shingles) -> float:
    """Return the share of shingles that two records have in common."""
    import numpy as np

    common = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - common
    return common / either if either else 0.0


def _firsts(digests: NDArray[np.uint64]) -> Pairs:
    """Return for each record the first of the same words: itself, mostly."""
    import numpy as np

    _, first, group = np.unique(digests, return_index=True, return_inverse=True)
    found: Pairs = first[group]
    return np.where(digests == 0, np.arange(len(digests)), found)


def _candidates(
    bands: NDArray[np.uint32], new: NDArray[np.bool_], first: NDArray[np.bool_]
) -> Pairs:
    """Return pairs (older, newer) that share a band, those that share most of them first."""
    import numpy as np

    found = list(_banded(bands, new, first))
    if not found:
        return np.empty((0, 2), np.int64)
    pairs, counts = np.unique(np.concatenate(found), axis=0, return_counts=True)
    best: Pairs = pairs[np.argsort(-counts, kind="stable")]
    return best


def _banded(
    bands: NDArray[np.uint32], new: NDArray[np.bool_], first: NDArray[np.bool_]
) -> Iterator[Pairs]:
    import numpy as np

    compared = np.flatnonzero(first & (bands.any(axis=1) if bands.size else first))
    for band in range(bands.shape[1] if len(compared) else 0):
        keys = bands[compared, band]
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], compared[order]
        again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
        # Each is compared with the first of its group and with the one before it: all pairs
        # of a large group would be too many.
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        heads = places[starts][np.searchsorted(starts, again, side="right") - 1]
        for older in (heads, places[again - 1]):
            chosen = new[places[again]]
            yield np.stack([older[chosen], places[again][chosen]], axis=1)


def _fetched(wanted: Pairs, shelf: Pairs, row: Pairs, fetch: Fetch) -> dict[int, Shingles]:
    import numpy as np

    held: dict[int, Shingles] = {}
    for number in np.unique(shelf[wanted]).tolist():
        places = wanted[shelf[wanted] == number]
        rows = row[places].tolist()
        found = fetch(number, frozenset(rows))
        held |= {at: found[r] for at, r in zip(places.tolist(), rows, strict=True) if r in found}
    return held
