"""What a changed lock brings in that nobody asked for by name, and by which way it comes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.change import Change
from bot.checks.dependencies.shown import shown
from bot.errors import CouldNotTell
from bot.exhibit import Exhibit, Table
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import ManifestChange, manifest
from bot.wording import plural
from bot.world import World
from registry.manifests import DocumentError, kind_of
from registry.manifests.closure import Arrival, Closure, Graph, Wanted, compare

TRANSITIVE = Rule(
    "dependencies/transitive",
    Level.NOTE,
    "A lock brings in a package that nobody asked for by name.",
    "Its code is installed and imported like that of any other dependency.",
    "Follow the way it comes in; if it is not wanted, change the dependency that brings it.",
)
RULES = (TRANSITIVE,)
NOTES = 20  # packages told one by one
SHOWN = 200  # rows of the table
STEPS = 12  # names of one way that are written out
ASKING = ("pyproject", "pipfile", "setup-py", "setup-cfg", "requirements-in")
ROOTLESS = ("poetry-lock", "pylock")  # locks that do not hold the project itself


@dataclass(frozen=True, slots=True)
class Asked:
    """A package that the manifests beside a lock ask for. `before`: at the base."""

    lock: str
    name: str
    extras: tuple[str, ...]
    before: bool


def asked(change: Change, world: World, files: Sequence[ManifestChange]) -> tuple[Asked, ...]:
    """Read what is asked for beside the locks that do not say it themselves."""
    found: list[Asked] = []
    for file in files:
        if file.kind in ROOTLESS:
            for commit, before in ((change.merge_base, True), (change.head, False)):
                wanted = dict.fromkeys(_wanted(world, commit, posixpath.dirname(file.path)))
                found += (Asked(file.path, name, extras, before) for name, extras in wanted)
    return tuple(found)


def _wanted(world: World, commit: str, folder: str) -> Iterator[Wanted]:
    for entry in world.folder(commit, folder):
        kind = kind_of(entry.path)
        if not entry.is_file or kind not in ASKING:
            continue
        try:
            found = manifest(world, entry, kind)
        except (DocumentError, CouldNotTell):
            continue  # said where that file is judged
        for one in found.requirements:
            if one.group != "build" and not one.group.startswith("group:uv."):
                yield one.name, one.extras


def graphs(
    files: Sequence[ManifestChange], wanted: Sequence[Asked], *, before: bool = False
) -> Mapping[str, Graph]:
    """Return the graph of every changed lock that can be read, by path; at the head or before."""
    found: dict[str, Graph] = {}
    for file in files:
        lock = file.before if before else file.after
        if lock is not None and lock.is_lock and not file.trouble:
            names = ((a.name, a.extras) for a in wanted
                     if a.lock == file.path and a.before == before)  # fmt: skip
            found[file.path] = Graph(lock, names)
    return found


def closure(files: Sequence[ManifestChange], wanted: Sequence[Asked]) -> Closure | None:
    """Return what the change does to all that is locked; None where no lock changed."""
    old, new = graphs(files, wanted, before=True), graphs(files, wanted)
    return compare(tuple(old.items()), tuple(new.items())) if old or new else None


def way(route: Sequence[str]) -> str:
    """Write a route out: "a -> b -> c"."""
    if len(route) > STEPS:
        route = [*route[: STEPS - 1], "…", route[-1]]
    return " -> ".join(shown(name) for name in route)


def judge(
    files: Sequence[ManifestChange], wanted: Sequence[Asked], found: Closure | None
) -> Iterator[Finding]:
    """Tell every package that came in unasked; a first lock is told in one line."""
    if found is None or not found.arrivals:
        return
    first = found.arrivals[0]
    if not graphs(files, wanted, before=True):
        count = plural(len(found.arrivals), "package")
        message = f"a first lock: {count} in it that nobody asked for by name"
        yield TRANSITIVE.at(message, Location(first.path))
        return
    for arrival in found.arrivals[:NOTES]:
        yield TRANSITIVE.at(_said(arrival), Location(arrival.path, arrival.line))
    if len(found.arrivals) > NOTES:
        left = plural(len(found.arrivals) - NOTES, "more package")
        message = f"{left} that nobody asked for by name; the table has them"
        yield TRANSITIVE.at(message, Location(first.path))


def _said(arrival: Arrival) -> str:
    name = f"{shown(arrival.name)} {shown(arrival.version)}".strip()
    if not arrival.route:
        return f"{name} is new, and nothing in the lock needs it"
    cause = f"; {shown(arrival.cause)}" if arrival.cause else ""
    return f"{name} comes in through {way(arrival.route)}{cause}"


def summary(found: Closure | None) -> str:
    """Count what became of the locked packages, "" where no lock changed."""
    if found is None:
        return ""
    return (
        f"; locked: {plural(len(found.added), 'package')} added, {len(found.removed):,} removed, "
        f"{len(found.changed):,} changed"
    )


def exhibits(found: Closure | None) -> tuple[Exhibit, ...]:
    """Show the way of every package that came in unasked."""
    if found is None or not found.arrivals:
        return ()
    rows = [
        (shown(a.name), shown(a.version), way(a.route) or "-", shown(a.cause) or "-", a.path)
        for a in found.arrivals[:SHOWN]
    ]
    title = "What came in unasked"
    if len(found.arrivals) > SHOWN:
        title += f" (the first {SHOWN} of {len(found.arrivals):,})"
    columns = ("package", "version", "way", "what brought it", "file")
    return (Table(title, columns, tuple(rows)),)
