"""Dependencies: what the change adds or alters, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.utils import canonicalize_name
from pydantic import Field

from bot import manifestfiles
from bot.change import Change
from bot.check import Section
from bot.checks.dependencies import origins, packagenames, pins
from bot.checks.dependencies.pins import Hashes, Pin
from bot.checks.dependencies.shown import shown
from bot.exhibit import Exhibit, Table
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import Evidence, ManifestChange
from bot.wording import plural
from bot.world import World
from registry.manifests import LOCKS
from registry.manifests.difference import Delta, Placed, difference

NAME = "dependencies"
VERSION: int = manifestfiles.VERSION
SHOWN = 200  # rows of the table
NOTES = 20  # new names said one by one

UNREADABLE = Rule(
    "dependencies/unreadable",
    Level.UNKNOWN,
    "A manifest, or a line of it, cannot be read.",
    "What cannot be read may ask for anything; installers are often more lenient.",
    "Make it valid UTF-8 in its format and within the size bound.",
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
)


class Settings(Section):
    """Policy on dependencies."""

    pin: Pin = Field(
        default="lock",
        description="How requirements files hold versions: `exact` (each line has ==), `lock` "
        "(== or a lock or constraints file pins it), `bounded` (any specifier), `off`.",
    )
    hashes: Hashes = Field(
        default="off",
        description="Whether each line of requirements and lock files needs a hash; a file "
        "where only some have one fails anyway.",
    )
    allow_urls: tuple[str, ...] = Field(
        default=(), description="URLs below which direct and repository URLs are accepted."
    )
    indexes: tuple[str, ...] = Field(
        default=(), description="Indexes, file hosts (as URLs) and conda channels to accept."
    )
    known_names: tuple[str, ...] = Field(
        default=(), description="Package names that are meant although they look like others."
    )


def applies(change: Change, settings: Settings) -> str:
    """Apply where a dependency manifest changed."""
    found = any(manifestfiles.concerns(f.path) for f in change.files)
    return "" if found else "no dependency manifest changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the changed manifests and the locks beside them."""
    return manifestfiles.collect(change, world)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Judge what the change adds, alters or removes."""
    deltas = _deltas(evidence)
    findings = [*_unreadable(evidence.files), *_locks_removed(evidence.files)]
    findings += origins.judge_indexes(evidence.files, settings.indexes)
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
            findings += origins.judge_url(delta, settings.allow_urls)
        findings += pins.judge_hashes(file, of_file, settings.hashes)
    findings += _names(deltas, evidence, settings)
    return tuple(findings)


def _deltas(evidence: Evidence) -> tuple[Delta, ...]:
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


def _names(deltas: Iterable[Delta], evidence: Evidence, settings: Settings) -> Iterator[Finding]:
    used = {r.name for f in evidence.files if f.before for r in f.before.requirements}
    meant = {canonicalize_name(n) for n in settings.known_names}
    known = used | meant | set(evidence.known)
    notes = 0
    # Requirements come before locks, so that a name is judged on the line somebody wrote.
    for delta in sorted(deltas, key=lambda d: d.after is not None and d.after.kind in LOCKS):
        in_lock = delta.after is not None and delta.after.kind in LOCKS
        for finding in packagenames.judge_name(delta, frozenset(known), in_lock=in_lock):
            notes += finding.severity is Level.NOTE
            if finding.severity is not Level.NOTE or notes <= NOTES:
                yield finding
        if delta.after is not None:
            known.add(delta.after.requirement.name)


def summary(evidence: Evidence) -> str:
    """Count manifests and what differs in them."""
    deltas = _deltas(evidence)
    added = sum(d.before is None for d in deltas)
    removed = sum(d.after is None for d in deltas)
    altered = len(deltas) - added - removed
    return (
        f"{plural(len(evidence.files), 'manifest')}: {plural(added, 'requirement')} added, "
        f"{altered:,} altered, {removed:,} removed"
    )


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show the difference as a table."""
    deltas = _deltas(evidence)
    if not deltas:
        return ()
    rows = [_row(d) for d in deltas[:SHOWN]]
    if len(deltas) > SHOWN:
        rows.append((f"… and {len(deltas) - SHOWN} more", "", "", ""))
    return (Table("Dependencies", ("package", "base", "head", "file"), tuple(rows)),)


def _row(delta: Delta) -> tuple[str, str, str, str]:
    place = delta.after or delta.before
    if place is None:
        return ("", "", "", "")
    name = place.requirement.raw or place.requirement.url
    return (shown(name), _said(delta.before), _said(delta.after), place.path)


def _said(placed: Placed | None) -> str:
    if placed is None:
        return "-"
    return shown(placed.requirement.specifier or placed.requirement.url or "any")
