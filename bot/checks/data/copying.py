"""Duplicates among the records that a change adds, and of those that were there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.checks.data.evidence import Copies
from bot.checks.data.reading import Trouble
from bot.checks.data.sources import Source
from bot.checks.data.work import Work
from bot.errors import Missing
from lab.data.twins import Shelf, Twin, shelves_of, twins
from lab.errors import NoReader
from registry.errors import RegistryError

if TYPE_CHECKING:
    from lab.data.sketch import Shingles, Sketch

EXAMPLES = 20  # duplicates of a file that are named


def copies(
    work: Work, fresh: list[Source], before: list[Source], there: list[Source]
) -> tuple[Copies, ...]:
    """Compare the records that each changed file adds with all others."""
    past = [sketch for source in before if (sketch := _quiet(work, source)) is not None]
    stays = [(s, sketch) for s in there if (sketch := _quiet(work, s)) is not None]
    changed = [(s, sketch) for s in fresh if (sketch := _sketched(work, s)) is not None]
    if not changed:
        return ()
    held = [source for source, _ in (*stays, *changed)]
    shelves = shelves_of([sketch for _, sketch in stays], [sketch for _, sketch in changed], past)

    def fetch(shelf: int, rows: frozenset[int]) -> dict[int, Shingles]:
        try:
            return work.reader.shingles(held[shelf], rows)
        except (NoReader, Missing, RegistryError):
            return {}

    result = twins(shelves, work.settings.duplicates, fetch)
    if result.partial:
        reason = "more likely duplicates than are compared: the rest was not"
        work.troubles.append(Trouble("data/too-large", changed[0][0].place, reason))
    files = range(len(stays), len(shelves))
    return tuple(_copies(n, shelves[n], held, result.found) for n in files)


def _sketched(work: Work, source: Source) -> Sketch | None:
    """Return the sketch of a file that changes; what keeps it from being made is noted."""
    made: list[Sketch] = []

    def act() -> Trouble | None:
        work.world.say(f"      data: comparing the records of {source.path}")
        sketch, trouble = work.reader.sketch(source)
        made.append(sketch)
        return trouble

    work.tried(source, act)
    return made[0] if made else None


def _quiet(work: Work, source: Source) -> Sketch | None:
    """Return the sketch of a file that is no matter of this change, or None."""
    if source.doubt:
        return None
    try:
        return work.reader.sketch(source)[0]
    except (NoReader, Missing, RegistryError):
        return None


def _copies(number: int, shelf: Shelf, held: list[Source], found: Iterable[Twin]) -> Copies:
    mine = [twin for twin in found if twin.new.shelf == number]
    same = sum(twin.likeness == 1.0 for twin in mine)
    examples = sorted(mine, key=lambda twin: (-twin.likeness, twin.new.line))[:EXAMPLES]
    return Copies(
        held[number].place,
        int(shelf.new.sum()),
        same,
        len(mine) - same,
        tuple((t.new.line, held[t.old.shelf].path, t.old.line, t.likeness) for t in examples),
    )
