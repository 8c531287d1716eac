"""Release notes: what changed since the last release, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.tensors.values import Diff, Shift
from registry.bom.difference import Changes
from registry.bom.values import Component
from registry.release.pages import deltas
from registry.release.pages.card import verifying
from registry.release.pages.deltas import ArtifactChange, FileChange, Restated
from registry.release.pages.figures import compared, held, measured
from registry.release.pages.prose import (
    NAME,
    UNSTATED,
    code,
    count,
    opening,
    page,
    plain,
    section,
    short,
    size,
    table,
)
from registry.release.values import Release

ROWS = 100  # of one list
SHIFTS = 15  # tensors


def notes(
    release: Release,
    previous: Release | None = None,
    bom: Changes | None = None,
    tensors: Diff | None = None,
) -> str:
    """Return the notes: the same for the same release.

    `previous` is the release before, `bom` what changed since its bill of materials, `tensors`
    compares its weights with these. None for what is not at hand.
    """
    return page(
        [f"# {plain(release.artifact, NAME)} {plain(release.version, 100)}"],
        _opening(release, previous),
        section("Measurements", *_measurements(release, previous)),
        section("Weights", *_weights(release, previous, tensors)),
        section("Data", *_data(release, previous)),
        section("Environment", *_environment(release, previous, bom)),
        section("Licences", _licences(release, previous)),
        section("Contributors", _people(release, previous)),
        section("Waived", _waived(release)),
        section("How to verify", *verifying(release)),
    )


def _opening(release: Release, previous: Release | None) -> list[str]:
    made = f"Released from commit {code(release.commit)} of {plain(release.date, 40)}."
    if release.previous is None:
        return [f"{made} This is the first release."]
    before = (
        f"It follows {code(release.previous.version)} (commit {code(release.previous.commit)})."
    )
    if previous is None:
        before += " What that held is not at hand: what changed is not stated."
    return [f"{made} {before}"]


def _measurements(release: Release, previous: Release | None) -> list[list[str]]:
    if previous is not None:
        return [compared(release, previous)]
    return [measured(one) for one in release.measurements] or [["Not measured."]]


def _weights(release: Release, previous: Release | None, tensors: Diff | None) -> list[list[str]]:
    told = ", ".join(dict.fromkeys(held(release.weights)))
    lines = [f"- {told}; fingerprint {code(release.fingerprint) or UNSTATED}"]
    if previous is None:
        return [lines]
    change = deltas.weights_change(previous, release)
    if not change.changed:
        lines.append("- The files are those of the release before.")
    elif previous.fingerprint:
        lines.append(f"- Before: {held(previous.weights)[1]}; {code(previous.fingerprint)}")
    return [lines, _changes(change.files), *(_tensors(tensors) if tensors is not None else ())]


def _tensors(diff: Diff) -> list[list[str]]:
    kinds = ", ".join(f"{number:,} {plain(kind, 40)}" for kind, number in diff.counts if number)
    told = f"{count(diff.tensors, 'tensor')}: {diff.same:,} the same{', ' if kinds else ''}{kinds}."
    rows = [_shift(one) for one in diff.shifts[:SHIFTS]]
    left = len(diff.shifts) - len(rows) + diff.more
    heads = ("Tensor", "What", "Elements that differ", "Relative change")
    shown = table(heads, rows, right="  rr") if rows else []
    return [[told], shown, [f"… and {count(left, 'more tensor')}."] if left and rows else []]


def _shift(one: Shift) -> tuple[str, ...]:
    what = str(one.kind.value)
    if one.was:
        what += f", was {code(one.was)}"
    elif one.before and one.after and one.before != one.after:
        what += f", {code(one.before)} → {code(one.after)}"
    numbers = one.numbers
    if numbers is None:
        return code(one.name), what, "–", "–"
    relative = "–" if numbers.relative is None else f"{numbers.relative:.3g}"
    return code(one.name), what, f"{numbers.share:.1%}".replace("%", " %"), relative


def _data(release: Release, previous: Release | None) -> list[list[str]]:
    if previous is None:
        lines = [f"- {code(one.path)}: {held(one)[1]}" for one in release.data[:ROWS]]
        return [[*lines, *_more(len(release.data))] or [f"{UNSTATED.capitalize()}."]]
    found = [one for one in deltas.data_changes(previous, release) if one.changed]
    if not found:
        return [["Unchanged." if release.data else f"{UNSTATED.capitalize()}."]]
    return [part for one in found[:ROWS] for part in _changed(one)] + [_more(len(found))]


def _changed(one: ArtifactChange) -> list[list[str]]:
    if one.before is None and one.after is not None:
        digest = one.after.root or (one.after.pointers[0].digest if one.after.pointers else "")
        told = f"- {code(one.path)}: new, {held(one.after)[1]}, {code(short(digest)) or UNSTATED}"
        return [[told]]
    if one.after is None:
        return [[f"- {code(one.path)}: no longer used"]]
    before = held(one.before)[1] if one.before else UNSTATED
    return [[f"- {code(one.path)}: {before} → {held(one.after)[1]}"], _changes(one.files)]


def _changes(files: Sequence[FileChange]) -> list[str]:
    if not files:
        return []
    rows = [
        (
            code(one.path) + (f", was {code(one.was)}" if one.was else ""),
            one.change,
            size(one.before) if one.before >= 0 else "–",
            size(one.after) if one.after >= 0 else "–",
        )
        for one in files[:ROWS]
    ]
    more = ["", *_more(len(files))] if len(files) > ROWS else []
    return [*table(("File", "What", "Before", "Now"), rows, right="  rr"), *more]


def _environment(
    release: Release, previous: Release | None, bom: Changes | None
) -> list[list[str]]:
    if previous is None:
        lines = [f"- {code(one.path)}: {count(one.packages, 'package')}"
                 for one in release.environment[:ROWS]]  # fmt: skip
        return [lines or [f"{UNSTATED.capitalize()}."]]
    moved = [f"- {code(one.what)}: {_then(one, short)}" for one in deltas.locks(previous, release)]
    ran = [
        f"- stage {code(one.what)}: {_then(one, str)}"
        for one in deltas.stages(previous.pipeline, release.pipeline)
    ]
    parts = [moved[:ROWS], ran[:ROWS], *(_packages(bom) if bom is not None else ())]
    return parts if any(parts) else [["Unchanged."]]


def _then(one: Restated, shown: Callable[[str], str]) -> str:
    before, after = (code(shown(side)) if side else "" for side in (one.before, one.after))
    return f"{before} → {after}" if before and after else f"new, {after}" if after else "gone"


def _packages(bom: Changes) -> list[list[str]]:
    new = [f"- added {_named(one)}" for one in bom.added]
    gone = [f"- removed {_named(one)}" for one in bom.removed]
    moved = [_updated(one.before, one.after) for one in bom.updated]
    other = [
        f"- {code(one.component.name)} is under {code(one.after) or UNSTATED} now, was "
        f"{code(one.before) or UNSTATED}"
        for one in bom.relicensed
    ]
    return [[*lines[:ROWS], *_more(len(lines))] for lines in (moved, new, gone, other) if lines]


def _updated(was: Component, now: Component) -> str:
    if was.version == now.version:  # of other bytes, or from elsewhere
        return f"- changed {_named(now)}, under the same version"
    return f"- updated {code(now.name)}: {code(was.version) or '–'} → {code(now.version) or '–'}"


def _named(one: Component) -> str:
    licence = f", {code(one.licence)}" if one.licence else ""
    return f"{code(' '.join(filter(None, (one.name, one.version))))} ({one.kind}{licence})"


def _licences(release: Release, previous: Release | None) -> list[str]:
    if previous is not None:
        found = list(deltas.licences(previous, release))
        lines = [f"- {opening(one.what, NAME)}: {_then(one, str)}" for one in found[:ROWS]]
        return [*lines, *_more(len(found))] or ["Unchanged."]
    named = [one for one in release.licences if one.of != "package"]
    lines = [
        f"- {opening(one.of, 40)} {code(one.name) if one.of == 'data' else ''}".rstrip()
        + f": {code(one.expression) or UNSTATED}"
        for one in named[:ROWS]
    ]
    return [*lines, *_more(len(named))] or [f"{UNSTATED.capitalize()}."]


def _people(release: Release, previous: Release | None) -> list[str]:
    known = {(one.login or one.name) for one in previous.contributors} if previous else set()
    lines = []
    for one in release.contributors[:ROWS]:
        login = f" ({code(one.login)})" if one.login else ""
        new = previous is not None and (one.login or one.name) not in known
        fresh = f", not among those of {code(previous.version)}" if new and previous else ""
        lines.append(f"- {opening(one.name, NAME)}{login}, {count(one.commits, 'commit')}{fresh}")
    return [*lines, *_more(len(release.contributors))] or [f"{UNSTATED.capitalize()}."]


def _waived(release: Release) -> list[str]:
    found = [f"- {code(one.check)}: {plain(w)}" for one in release.checks for w in one.waived]
    return [*found[:ROWS], *_more(len(found))] or ["Nothing."]


def _more(number: int) -> list[str]:
    return [f"- … and {number - ROWS:,} more"] if number > ROWS else []
