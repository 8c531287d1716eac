"""What the comparison of changed models comes to: findings."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.weights import rules
from bot.checks.weights.diffs import ModelDiff
from bot.finding import Finding, Level, Location
from bot.quoting import plain
from bot.wording import plural
from lab.tensors.values import Diff, Kind, Shift

NAMED = 5  # tensors that one message names
TINY = 1e-2  # relative difference below which a change of number format leaves all tensors


def judge(model: ModelDiff) -> Iterator[Finding]:
    """Decide on one model."""
    where = Location(model.path)
    diff = model.diff
    yield from _not_finite(diff, model.model, where)
    yield from _emptied(diff, model.model, where)
    for name, rows in diff.embeddings:
        if model.vocabulary not in (-1, rows):
            yield rules.VOCABULARY.at(
                f"{model.model}: {plain(name)} has {rows:,} rows, config.json says vocab_size"
                f" {model.vocabulary:,}",
                where,
            )
    if model.base and diff.shifts:
        yield rules.TENSORS.at(f"{model.model}: {_story(model)}", where)
    doubts = dict.fromkeys(shift.doubt for shift in diff.shifts if shift.doubt)
    for doubt in (*filter(None, (model.doubt,)), *doubts):
        count = sum(shift.doubt == doubt for shift in diff.shifts)
        what = f"{plural(count, 'tensor')} not measured: " if doubt in doubts else ""
        yield rules.NOT_COMPARED.at(f"{model.model}: {what}{plain(doubt)}", where)


def headline(model: ModelDiff) -> str:
    """Return how many tensors differ, in one line."""
    diff = model.diff
    if not model.base:
        return f"{plural(diff.tensors, 'tensor')}, compared with nothing"
    gone = dict(diff.counts).get(Kind.REMOVED, 0)
    counted = diff.tensors - diff.same
    text = f"{counted:,} of {plural(diff.tensors, 'tensor')} in changed files differ"
    return text + (f", {gone:,} gone" if gone else "") + f" (against {plain(model.base)})"


def _story(model: ModelDiff) -> str:
    diff = model.diff
    parts = [headline(model)]
    kinds = [f"{count:,} {kind}" for kind, count in diff.counts if kind != Kind.CHANGED]
    parts += [", ".join(kinds)] if kinds else []
    first = diff.shifts[0]
    if first.numbers is not None:
        parts.append(f"most of all {plain(first.name)} ({_relative(first)})")
    if _all_tiny(diff):
        parts.append(f"every one, and none by more than {TINY:.0%}, as a number format would")
    return "; ".join(parts)


def _relative(shift: Shift) -> str:
    relative = shift.numbers.relative if shift.numbers else None
    return "from zero" if relative is None else f"relative L2 {relative:.3g}"


def _all_tiny(diff: Diff) -> bool:
    """Whether all tensors differ, and all of them little."""
    sizes = [s.numbers.relative for s in diff.shifts if s.numbers]
    complete = not diff.same and not diff.more and len(sizes) == diff.tensors > 1
    return complete and all(size is not None and size <= TINY for size in sizes)


def _not_finite(diff: Diff, model: str, where: Location) -> Iterator[Finding]:
    fresh: list[Shift] = []
    known: list[Shift] = []
    for shift in diff.shifts:
        health, before = shift.health, shift.health_before
        if health is not None and (health.nans or health.infinities):
            had = before is not None and (before.nans or before.infinities)
            (known if had else fresh).append(shift)
    for shifts, level in ((fresh, Level.FAILURE), (known, Level.NOTE)):
        if shifts:
            told = ", ".join(map(_count, shifts[:NAMED]))
            more = f" and {len(shifts) - NAMED:,} more tensors" if len(shifts) > NAMED else ""
            old = "" if level is Level.FAILURE else ", as before"
            message = f"{model}: NaN or infinity in {told}{more}{old}"
            yield rules.NOT_FINITE.at(message, where, level=level)


def _count(shift: Shift) -> str:
    health = shift.health
    assert health is not None
    return f"{plain(shift.name)} ({health.nans:,} NaN, {health.infinities:,} infinite)"


def _emptied(diff: Diff, model: str, where: Location) -> Iterator[Finding]:
    emptied = [
        plain(s.name)
        for s in diff.shifts
        if s.health and s.health.zero and s.health_before and not s.health_before.zero
    ]
    if emptied:
        more = f" and {len(emptied) - NAMED:,} more" if len(emptied) > NAMED else ""
        message = f"{model}: all numbers became zero in {', '.join(emptied[:NAMED])}{more}"
        yield rules.EMPTIED.at(message, where)
