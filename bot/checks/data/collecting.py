"""What a change does to training data: leaks into it, and duplicates it adds."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from bot.change import Change, TreeEntry
from bot.checks.data.copying import copies
from bot.checks.data.evaluation import Sets, at_base, at_head
from bot.checks.data.evidence import Evidence
from bot.checks.data.leaking import leaks
from bot.checks.data.reading import Reader, Trouble
from bot.checks.data.settings import Settings
from bot.checks.data.sources import FORMAT, Source, candidates, is_data, sources, standing
from bot.checks.data.work import Work
from bot.patterns import Pattern, compiled
from bot.world import World

MAX_STANDING = 1_000  # files that the change leaves alone and that are compared with


def collect(change: Change, world: World, settings: Settings, maker: str) -> Evidence:
    """Search and compare what the change adds or alters."""
    training = tuple(map(compiled, settings.training))
    asked = tuple(map(compiled, settings.evaluation))
    work = Work(change, world, settings, Reader(world, settings, maker))
    base = at_base(change, world, settings, asked)
    head = at_head(change, world, settings, asked, base)
    # A task file at the head may name any file as its documents: that one is still searched.
    held_out = base.files | {path for path in head.files if is_data(path, asked)}
    work.troubles += dict.fromkeys([*base.troubles, *head.troubles])
    evaluated = bool(settings.suites or asked)
    after, before = _sides(change, world, training, held_out)
    work.troubles += [
        Trouble("data/not-at-hand", s.place, f"{s.path} was not searched: {s.doubt}")
        if s.doubt != FORMAT
        else Trouble("data/format", s.place, FORMAT)
        for s in after
        if s.doubt
    ]
    fresh = [s for s in after if not s.doubt]
    if importlib.util.find_spec("numpy") is None:
        reason = "data was neither searched for leaks nor compared: numpy is not installed"
        place = next((s.place for s in after), "")
        work.troubles.append(Trouble("data/unequipped", place, reason))
        return Evidence(evaluated, files=len(after), troubles=tuple(work.troubles))
    there, left_out = list[Source](), 0
    if fresh or head.items:
        there, left_out = _standing(work, training, held_out | {s.path for s in after})
    items, unjudged = leaks(work, base, head, fresh, before, there)
    return Evidence(
        evaluated,
        items,
        unjudged,
        _counted(base, head),
        len(after),
        work.records,
        left_out,
        bool(head.items),
        tuple(work.leaks),
        tuple(work.more.items()),
        copies(work, fresh, before, there) if fresh else (),
        tuple(dict.fromkeys(work.troubles)),
    )


def _counted(*sets: Sets) -> tuple[tuple[str, int], ...]:
    found: dict[str, set[str]] = {}
    for one in sets:
        for item in one.items:
            found.setdefault(item.source, set()).add(item.id)
    return tuple((name, len(ids)) for name, ids in sorted(found.items()))


def _sides(
    change: Change, world: World, training: tuple[Pattern, ...], held_out: set[str]
) -> tuple[list[Source], list[Source]]:
    """Return the training data that changes, as it is after and was before, by its bytes."""
    after, before = list[Source](), list[Source]()
    for file in change.files:
        for entry, commit, found in (
            (file.after, change.head, after),
            (file.before, change.merge_base, before),
        ):
            if entry is not None:
                found += _of(world, commit, entry, training, held_out)
    old = {(s.path, s.key) for s in before if s.key}
    return [s for s in after if (s.path, s.key) not in old], before


def _of(
    world: World, commit: str, entry: TreeEntry, training: tuple[Pattern, ...], held_out: set[str]
) -> Iterable[Source]:
    found = sources(world, commit, entry, training)
    return (source for source in found if source.path not in held_out)


def _standing(
    work: Work, training: tuple[Pattern, ...], known: set[str]
) -> tuple[list[Source], int]:
    """Return data that the change leaves alone, as far as the bounds allow, and how much more."""
    head = work.change.head
    entries = [e for e in candidates(work.world, head, training) if e.path not in known]
    if len(entries) > MAX_STANDING:  # not some of them: which ones would be chance
        return [], len(entries)
    there = standing(work.world, head, entries, training)
    found, left = list[Source](), work.settings.max_bytes
    others = [s for s in there if s.path not in known]
    for source in others:
        left -= source.size
        if left >= 0 and not source.doubt:
            found.append(source)
    return found, len(others) - len(found)
