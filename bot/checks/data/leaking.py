"""Evaluation items in training data: in what changes, and in the rest where items are new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.checks.data.evaluation import Sets
from bot.checks.data.evidence import Leaking
from bot.checks.data.reading import Leaks, Trouble
from bot.checks.data.sources import Source
from bot.checks.data.work import Work
from bot.errors import Missing
from lab.errors import NoReader
from registry.errors import RegistryError

if TYPE_CHECKING:
    from lab.data.grams import Index
    from lab.data.leaks import Leak


def leaks(
    work: Work,
    base: Sets,
    head: Sets,
    fresh: list[Source],
    before: list[Source],
    there: list[Source],
) -> tuple[int, int]:
    """Search changed data for all items, the rest for those the change adds.

    Return how many items there are, and of how many nothing is looked for.
    """
    from lab.data.grams import Index
    from lab.data.items import needles

    n = work.settings.ngram
    old = needles(base.items, n)
    known = {needle.text for needle in old}
    new = [needle for needle in needles(head.items, n) if needle.text not in known]
    standing_sets = Index(old, n)
    if old:
        held = _Shares(work, standing_sets, before) if fresh else None
        for source in fresh:
            _search(work, source, standing_sets, held)
    added = Index(new, n)
    for source in (*fresh, *there) if new else ():
        _search(work, source, added, None)
    return len(old) + len(new), standing_sets.unjudged + added.unjudged


class _Shares:
    """How much of each item the data held before, asked only once something leaks."""

    def __init__(self, work: Work, index: Index, before: list[Source]) -> None:
        self._work, self._index, self._before = work, index, before
        self._found: dict[tuple[str, str], float] | None = None

    def of(self, leak: Leak) -> float:
        if self._found is None:
            self._found = {}
            for source in self._before:
                for one in self._past(source).found:
                    key = one.source, one.id
                    self._found[key] = max(one.share, self._found.get(key, 0.0))
        return self._found.get((leak.source, leak.id), 0.0)

    def _past(self, source: Source) -> Leaks:
        if source.doubt:
            return Leaks()
        try:
            return self._work.reader.leaks(source, self._index)
        except (NoReader, Missing, RegistryError):
            return Leaks()  # what could not be read counts as absent: all of the head is new


def _search(work: Work, source: Source, index: Index, held: _Shares | None) -> None:
    def act() -> Trouble | None:
        if source.doubt:
            return None  # said where the file is named
        work.world.say(f"      data: searching {source.path} for evaluation items")
        found = work.reader.leaks(source, index)
        work.records += found.records
        for leak in found.found:
            work.leaks.append(Leaking(source.place, leak, held.of(leak) if held else 0.0))
        if found.count > len(found.found):
            work.more[source.place] = found.count - len(found.found)
        return found.trouble

    work.tried(source, act)
