"""Evaluation sets of the policy: the suites that score models, and files it names beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.change import Change
from bot.checks.data.reading import Reading, Trouble
from bot.checks.data.settings import Settings
from bot.checks.data.sources import FORMAT, Source, candidates, is_data, is_sealed, standing
from bot.checks.regression.settings import SuiteFile
from bot.checks.regression.suites import BadSuite, read_suites
from bot.errors import Missing
from bot.patterns import Pattern
from bot.world import World
from lab.data.items import Item
from lab.errors import NoReader
from lab.items.suite import ITEM_LIMIT
from lab.protocol import Kind
from registry.errors import RegistryError

MAX_ITEMS = 200_000  # of all sets together
MAX_CHARACTERS = 50_000_000


@dataclass(slots=True)
class Sets:
    """Items of one commit, the files they come from, and what could not be read of them."""

    items: list[Item] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    troubles: list[Trouble] = field(default_factory=list)
    size: int = 0

    def add(self, item: Item, place: str) -> bool:
        """Take an item; False, and a trouble, where there are too many."""
        self.size += sum(map(len, item.texts))
        if len(self.items) >= MAX_ITEMS or self.size > MAX_CHARACTERS:
            if not any(t.rule == "data/too-large" for t in self.troubles):
                reason = f"evaluation sets of more than {MAX_ITEMS:,} items, or of"
                reason += f" {MAX_CHARACTERS:,} characters: the rest is not looked for"
                hint = "name fewer of them under data.evaluation"
                self.troubles.append(Trouble("data/too-large", place, reason, 0, hint))
            return False
        self.items.append(item)
        return True


def at_base(
    change: Change, world: World, settings: Settings, patterns: tuple[Pattern, ...]
) -> Sets:
    """Read every set as it is at the base commit."""
    found = Sets()
    for suite in settings.suites:
        # One that the change brings in has no items yet: those of the head are looked for.
        if world.entry(change.base, suite.path) or not world.entry(change.head, suite.path):
            _suite(found, world, change.base, suite)
    if patterns:
        there = candidates(world, change.base, patterns)
        _files(found, world, standing(world, change.base, there, patterns), settings)
    return found


def at_head(
    change: Change,
    world: World,
    settings: Settings,
    patterns: tuple[Pattern, ...],
    base: Sets,
) -> Sets:
    """Read the sets that the change touches as they are at the head."""
    found = Sets()
    changed = {f.path for f in change.files if f.file is not None}
    for suite in settings.suites:
        if changed & (base.files | {suite.path}) and world.entry(change.head, suite.path):
            _suite(found, world, change.head, suite)
    sealed = [f.path for f in change.files if f.file and is_sealed(f.path, patterns)]
    found.troubles += [Trouble("data/format", path, FORMAT) for path in sealed]
    fresh = [f.file for f in change.files if f.file and is_data(f.path, patterns)]
    sources = (Source(e.path, e.path, e.blob, world.size(e.blob)) for e in fresh)
    _files(found, world, sources, settings)
    return found


def _suite(found: Sets, world: World, commit: str, suite: SuiteFile) -> None:
    try:
        suites = read_suites(world, commit, (suite,), ITEM_LIMIT)
    except BadSuite as error:
        found.files.add(suite.path)
        reason = f"the suite {suite.name} cannot be read: {error.message}"
        found.troubles.append(Trouble("data/unreadable", suite.path, reason, 0, error.hint))
        return
    found.files |= suites.files
    for task in suites.tasks:
        for item in task.items:
            # All items of a classifier have the names of the same classes.
            choices = () if task.kind is Kind.LABEL else item.choices
            if not found.add(Item(task.name, item.id, (item.context, *choices)), suite.path):
                return


def _files(found: Sets, world: World, sources: Iterable[Source], settings: Settings) -> None:
    for source in sources:
        found.files.add(source.path)
        try:
            found.troubles += _file(found, world, source, settings)
        except NoReader as error:
            reason, hint = error.message, error.hint
            found.troubles.append(Trouble("data/unequipped", source.place, reason, 0, hint))
        except (Missing, RegistryError) as error:
            reason, hint = error.message, error.hint
            found.troubles.append(Trouble("data/not-at-hand", source.place, reason, 0, hint))


def _file(found: Sets, world: World, source: Source, settings: Settings) -> Iterator[Trouble]:
    if source.doubt:
        yield Trouble("data/not-at-hand", source.place, source.doubt)
        return
    # The policy's fields are those of training data: every text of an evaluation item counts.
    reading = Reading(world, source, settings.model_copy(update={"fields": ()}))
    for record in reading:
        if not found.add(Item(source.path, str(record.line), record.texts), source.place):
            break
    if reading.trouble:
        yield reading.trouble
