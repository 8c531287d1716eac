"""What a change does to the files behind its pointers: sizes, counts, each file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.change import Change
from bot.checks.weights.lookup import Finder
from bot.checks.weights.tracked import Pair, pairs
from bot.world import World
from registry.imports import Origin
from registry.pointerdiff import UNKNOWN, Changes, Listed, Total, difference, unknown_sizes
from registry.pointers import Pointer, PointerKind

KEPT = 500  # outputs that are kept
_NONE = Changes()


@dataclass(frozen=True, slots=True)
class Tracked:
    """One path that a pointer tracks, before and after; sizes and counts are UNKNOWN or as stated.

    `new` are the bytes of contents that nothing had before (`exact`: all of them; else as many at
    least, and `most` at most), `changes` what happened to its files, unless `doubt` says why that
    is not known.
    """

    path: str
    source: str
    kind: str
    before: int = 0
    after: int = 0
    files_before: int = 0
    files_after: int = 0
    changes: tuple[tuple[str, int], ...] = ()
    new: int = 0
    most: int = 0
    exact: bool = True
    origin: Origin | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """All changed outputs; `more` are those beyond KEPT. `files` has those of known listings."""

    outputs: tuple[Tracked, ...] = ()
    more: int = 0
    files: Changes = _NONE
    new: int = 0
    most: int = 0
    exact: bool = True


def collect(change: Change, world: World, *, fetch: bool) -> Storage:
    """Compare what pointers named with what they name; `fetch` lets listings be fetched."""
    found = pairs(change, world)
    with tempfile.TemporaryDirectory(prefix="modelwarden-cache-") as scratch:
        finder = Finder(change, world, Path(scratch), fetch=fetch)
        finder.list(side for pair in found for side in pair.sides)
        return _compared(found, finder)


def _compared(found: tuple[Pair, ...], finder: Finder) -> Storage:
    clear = [pair for pair in found if not any(map(finder.doubt, pair.sides))]
    old = {pair.path: finder.files(pair.before) for pair in clear}
    new = {pair.path: finder.files(pair.after) for pair in clear}
    sides = [side for pair in clear for side in pair.sides if side.pointer.kind != "lfs"]
    both = [[file for files in side.values() for file in files] for side in (old, new)]
    known = finder.sized(sides, unknown_sizes(*both))
    old, new = ({p: _filled(files, known) for p, files in side.items()} for side in (old, new))
    before, after = ([f for files in side.values() for f in files] for side in (old, new))
    held = frozenset(file.digest for file in before)
    outputs = []
    for pair in found:
        doubt = next(filter(None, map(finder.doubt, pair.sides)), "")
        one = _tracked(pair)
        if doubt:
            one = replace(one, doubt=doubt, most=one.after, exact=not one.after)
        else:
            one = _measured(one, old[pair.path], new[pair.path], held)
        outputs.append(replace(one, new=0, most=0, exact=True) if _elsewhere(pair) else one)
    pushed = (new[pair.path] for pair in clear if not _elsewhere(pair))
    fresh = _fresh((file for files in pushed for file in files), held)
    bounds = [one.most for one in outputs]
    exact = all(one.exact for one in outputs)
    most = fresh.size if exact else UNKNOWN if UNKNOWN in bounds else sum(bounds)
    more = max(0, len(outputs) - KEPT)
    files = difference(before, after)
    return Storage(tuple(outputs[:KEPT]), more, files, fresh.size, most, exact)


def _fresh(files: Iterable[Listed], held: frozenset[str]) -> Total:
    """Count contents that nothing had before, each once."""
    return difference((), (f for f in files if not f.digest or f.digest not in held)).new


def _elsewhere(pair: Pair) -> bool:
    """Whether it comes out of another repository, in whose remote it stays."""
    origin = pair.after.origin if pair.after else None
    return origin is not None and origin.repository


def _filled(files: tuple[Listed, ...], known: dict[str, int]) -> tuple[Listed, ...]:
    return tuple(
        replace(file, size=known[file.digest])
        if file.size == UNKNOWN and file.digest in known
        else file
        for file in files
    )


def _tracked(pair: Pair) -> Tracked:
    side = pair.after or pair.before
    assert side is not None
    old, new = (s.pointer if s else None for s in (pair.before, pair.after))
    return Tracked(
        pair.path,
        side.source,
        side.pointer.kind.value,
        old.size if old else 0,
        new.size if new else 0,
        _count(old),
        _count(new),
        origin=side.origin,
    )


def _count(pointer: Pointer | None) -> int:
    if pointer is None:
        return 0
    return pointer.count if pointer.kind is PointerKind.DVC_FOLDER else 1


def _measured(
    one: Tracked, old: tuple[Listed, ...], new: tuple[Listed, ...], held: frozenset[str]
) -> Tracked:
    """Fill in what listings say, over what pointers state."""
    found = difference(old, new)
    fresh = _fresh(new, held)
    most = fresh.size
    if fresh.unsized:
        most = one.after
        if not found.gone.count and one.before != UNKNOWN and one.after != UNKNOWN:
            most = max(0, one.after - one.before)  # only added to: what is there grew by that
    return replace(
        one,
        files_before=found.before.count,
        files_after=found.after.count,
        changes=found.counts,
        new=fresh.size,
        most=most,
        exact=not fresh.unsized,
    )
