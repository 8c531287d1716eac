"""Dependencies: what the change adds or alters, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from bot import manifestfiles
from bot.change import Change
from bot.checks.dependencies import (
    ages,
    closure,
    confusion,
    lore,
    origins,
    packagenames,
    pins,
    startup,
    usage,
    using,
)
from bot.checks.dependencies.closure import Asked
from bot.checks.dependencies.lore import Lore
from bot.checks.dependencies.packagenames import Names
from bot.checks.dependencies.settings import Settings as Settings
from bot.checks.dependencies.shown import shown
from bot.checks.dependencies.startup import Hook
from bot.checks.dependencies.usage import Usage
from bot.checks.licenses.packages import environments, wheel_folders
from bot.exhibit import Exhibit, Table
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import ManifestChange
from bot.wording import plural
from bot.world import World
from registry.manifests import LOCKS
from registry.manifests.closure import Closure
from registry.manifests.difference import Delta, Placed, difference
from registry.manifests.kinds import Source, sources

NAME = "dependencies"
VERSION: int = manifestfiles.VERSION
SHOWN = 200  # rows of the table

UNREADABLE = Rule(
    "dependencies/unreadable",
    Level.UNKNOWN,
    "A manifest, or a line of it, cannot be read.",
    "What cannot be read may ask for anything; installers are often more lenient.",
    "Make it valid UTF-8 in its format and within the size bound; where only running it would "
    "tell, write the packages out.",
)
LOCK_REMOVED = Rule(
    "dependencies/lock-removed",
    Level.WARNING,
    "A lock file was deleted, and none took its place.",
    "Without a lock each install resolves anew.",
    "Keep a lock, or pin every version in the requirements.",
)
RULES: tuple[Rule, ...] = (
    UNREADABLE,
    LOCK_REMOVED,
    *pins.RULES,
    *origins.RULES,
    *packagenames.RULES,
    *confusion.RULES,
    *ages.RULES,
    *startup.RULES,
    *closure.RULES,
    *usage.RULES,
)


@dataclass(frozen=True, slots=True)
class Evidence(manifestfiles.Evidence):
    """The manifests, what is asked for beside locks that do not say it, and what code imports."""

    asked: tuple[Asked, ...] = ()
    usage: Usage = field(default_factory=Usage)
    lore: Lore = field(default_factory=Lore)
    hooks: tuple[Hook, ...] = ()


def applies(change: Change, settings: Settings) -> str:
    """Apply where a dependency manifest or Python code changed."""
    paths = [f.path for f in change.files]
    if any(manifestfiles.concerns(p) or manifestfiles.installs(p) for p in paths):
        return ""
    if settings.imports != "off" and any(map(using.concerns, paths)):
        return ""
    return "no dependency manifest changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the changed manifests, the locks beside them, and the imports of changed code."""
    read = manifestfiles.collect(change, world, commands=True)
    asked = closure.asked(change, world, read.files)
    folders, deltas = environments(change.head, world), _deltas(read)
    heard = lore.collect(change, world, read.files, deltas, folders)
    hooks = startup.collect(deltas, wheel_folders(change.head, world, settings.wheels))
    found = Usage()
    if settings.imports != "off":
        found = using.collect(change, world, read.files, deltas, folders)
    return Evidence(read.files, read.includes, read.pinned, read.known, asked, found, heard, hooks)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Judge what the change adds, alters or removes."""
    deltas = _deltas(evidence)
    findings = [*_unreadable(evidence.files), *_locks_removed(evidence.files)]
    new = Level.FAILURE if settings.new_indexes == "fail" else Level.WARNING
    findings += origins.judge_indexes(evidence.files, settings.indexes, new)
    for include in evidence.includes:
        findings += origins.judge_include(include)
    by_path: dict[str, list[Delta]] = {}
    for delta in deltas:
        if delta.after is not None:
            by_path.setdefault(delta.after.path, []).append(delta)
    pinned = frozenset(evidence.pinned)
    for file in evidence.files:
        of_file, lax = by_path.get(file.path, []), pins.unpinned_before(file)
        for delta in of_file:
            findings += pins.judge_pin(delta, settings.pin, pinned, lax)
            findings += origins.judge_url(delta, settings.allow_urls, settings.vcs)
        findings += pins.judge_hashes(file, of_file, settings.hashes)
    findings += packagenames.judge(deltas, _names(evidence, settings))
    findings += confusion.judge(evidence.files, settings.private, settings.private_indexes)
    findings += startup.judge(evidence.hooks)
    findings += ages.judge(deltas, evidence.lore, settings.min_age_days, settings.young)
    findings += closure.judge(evidence.files, evidence.asked, _closure(evidence))
    findings += usage.judge(evidence.usage)
    # One line of a setup.py may stand in many of its extras.
    return tuple(dict.fromkeys(findings))


def _closure(evidence: Evidence) -> Closure | None:
    return closure.closure(evidence.files, evidence.asked)


def _deltas(evidence: manifestfiles.Evidence) -> tuple[Delta, ...]:
    # A manifest that cannot be read at the head says nothing about what was removed.
    readable = [f for f in evidence.files if not f.trouble]
    return difference(
        ((f.path, f.before) for f in readable if f.before),
        ((f.path, f.after) for f in readable if f.after),
    )


def _unreadable(files: tuple[ManifestChange, ...]) -> Iterator[Finding]:
    for file in files:
        if file.trouble:
            yield UNREADABLE.at(shown(file.trouble), Location(file.path, file.line))
        old = {p.message for p in file.before.problems} if file.before else set()
        for problem in file.after.problems if file.after else ():
            if problem.message not in old:
                yield UNREADABLE.at(shown(problem.message), Location(file.path, problem.line))


def _locks_removed(files: tuple[ManifestChange, ...]) -> Iterator[Finding]:
    if any(f.kind in LOCKS and not f.deleted and f.before is None for f in files):
        return
    for file in files:
        if file.deleted and file.kind in LOCKS:
            yield LOCK_REMOVED.at("the lock was deleted", Location(file.path))


def _names(evidence: Evidence, settings: Settings) -> Names:
    used = {r.name for f in evidence.files if f.before for r in f.before.requirements}
    known = used | {canonicalize_name(n) for n in settings.known_names} | set(evidence.known)
    heads = [(f.path, f.after.options) for f in evidence.files if f.after]
    named = frozenset(p for p, options in heads if any(o.name in origins.INDEXES for o in options))
    return Names(frozenset(known), settings.private, evidence.lore, settings.new_name, named)


def summary(evidence: Evidence) -> str:
    """Count manifests and what differs in them; say where nothing was resolved."""
    deltas = _deltas(evidence)
    added = sum(d.before is None for d in deltas)
    removed = sum(d.after is None for d in deltas)
    altered = len(deltas) - added - removed
    ranges = any(d.after is not None and not d.after.requirement.version for d in deltas)
    locked = any(f.kind in LOCKS for f in evidence.files)
    return (
        f"{plural(len(evidence.files), 'manifest')}: {plural(added, 'requirement')} added, "
        f"{altered:,} altered, {removed:,} removed"
        f"{'; ranges are not resolved, no lock changed' if ranges and not locked else ''}"
        f"{closure.summary(_closure(evidence))}{usage.summary(evidence.usage)}"
    )


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show the difference as a table."""
    deltas = _deltas(evidence)
    rows = [_row(d) for d in deltas] + [_source(s) for s in _sources(evidence)]
    if not rows:
        return ()
    if len(rows) > SHOWN:
        rows = [*rows[:SHOWN], (f"… and {len(rows) - SHOWN} more", "", "", "", "")]
    table = Table("Dependencies", ("package", "base", "head", "what", "file"), tuple(rows))
    return (table, *closure.exhibits(_closure(evidence)))


def _sources(evidence: Evidence) -> tuple[Source, ...]:
    readable = [f for f in evidence.files if not f.trouble]
    return sources(
        ((f.path, f.before) for f in readable if f.before),
        ((f.path, f.after) for f in readable if f.after),
    )


def _source(source: Source) -> tuple[str, str, str, str, str]:
    value = shown(source.option.value)
    base, head = ("-", value) if source.after else (value, "-")
    return (source.option.name, base, head, source.kind, source.path)


def _row(delta: Delta) -> tuple[str, str, str, str, str]:
    place = delta.after or delta.before
    if place is None:
        return ("", "", "", "", "")
    found = place.requirement
    group = f" ({shown(found.group)})" if found.group else ""
    name = shown(found.raw or found.url) + group
    return (name, _said(delta.before), _said(delta.after), ", ".join(delta.kinds), place.path)


def _said(placed: Placed | None) -> str:
    if placed is None:
        return "-"
    found = placed.requirement
    extras = f"[{','.join(found.extras)}] " if found.extras else ""
    marker = f" ; {found.marker}" if found.marker else ""
    return shown(f"{extras}{found.specifier or found.url or 'any'}{marker}")
