"""Advisories: known malware and vulnerabilities in what a change installs; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

from pydantic import Field, field_validator

from bot import manifestfiles
from bot.change import Change
from bot.check import Section
from bot.checks.advisories import judging, local, looking
from bot.checks.advisories.evidence import Evidence, Hit, Place
from bot.checks.advisories.judging import Bound, Word
from bot.checks.advisories.rules import RULES as RULES
from bot.checks.dependencies import closure
from bot.checks.dependencies.shown import shown
from bot.exhibit import Exhibit, Table
from bot.finding import Finding
from bot.manifestfiles import ManifestChange
from bot.wording import plural
from bot.world import World
from registry.advisories.database import Database, default_path
from registry.advisories.errors import DatabaseError, NoDatabase
from registry.advisories.values import Entry
from registry.manifests import Manifest

NAME = "advisories"
VERSION = 1
SHOWN = 200  # rows of a table


class Settings(Section):
    """Policy on advisories."""

    fail_at: Bound = Field(
        default="high",
        description="Severity from which a new vulnerability fails: `low`, `moderate`, `high` or "
        "`critical`; below it is a warning. What nobody has rated counts as `high`.",
    )
    max_age_days: int = Field(
        default=30, ge=1, le=3650, description="Age of the database past which nothing is known."
    )
    malware: Word = Field(
        default="fail", description="What a pinned malicious version does: `fail`, `warn`, `note`."
    )
    range_admits_malware: Word = Field(
        default="fail", description="What a range does that admits a malicious version."
    )
    local: str = Field(
        default=".github/advisories",
        description="Folder of the project's own OSV documents, read at the base commit.",
    )

    @field_validator("local")
    @classmethod
    def _inside(cls, path: str) -> str:
        folder = PurePosixPath(path)
        if folder.is_absolute() or ".." in folder.parts or not folder.parts:
            raise ValueError("must be a folder inside the repository")
        return str(folder)


def applies(change: Change, settings: Settings) -> str:
    """Apply where a dependency manifest changed, or what runs install commands."""
    paths = (f.path for f in change.files)
    found = any(manifestfiles.concerns(p) or manifestfiles.installs(p) for p in paths)
    return "" if found else "no dependency manifest changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read both sides of the changed manifests, and look every package up in the database."""
    today = datetime.now(UTC).date()
    read = manifestfiles.collect(change, world, commands=True)
    own = local.collect(world, change.base, settings.local, today)
    fresh = _fresh(read.files)
    told = Evidence(
        fresh=len(fresh),
        exact=sum(exact for *_, exact in fresh),
        unreadable=tuple(p for f in read.files for p in _unreadable(f)),
        local=own.troubles,
        expired=own.expired,
    )
    try:
        with Database(default_path()) as database:
            base, head = _looks(read, own, database)
            about = database.about
            told = replace(told, date=about.date, age=about.age(today), count=about.count,
                           lost=about.unreadable)  # fmt: skip
    except DatabaseError as error:
        # What the project itself says still counts; all else is not known.
        base, head = _looks(read, own, None)
        missing = isinstance(error, NoDatabase)
        told = replace(told, trouble=error.message, advice=error.hint, missing=missing)
    return replace(
        told,
        packages=len(head.packages),
        resolved=len(head.resolved),
        hits=_ways(
            change, world, read.files, looking.since(base.hits.values(), head.hits.values())
        ),
        unresolved=tuple(head.unresolved),
        unreadable=(*told.unreadable, *head.beyond),
        excused=tuple(sorted(head.excused)),
    )


def _ways(
    change: Change, world: World, files: tuple[ManifestChange, ...], hits: Iterable[Hit]
) -> tuple[Hit, ...]:
    """Return the hits in the order of the files, new ones in locks with the way they come in."""
    found = sorted(hits, key=_order)
    paths = {hit.path for hit in found if not hit.old}
    locks = [f for f in files if f.path in paths and f.after is not None and f.after.is_lock]
    graphs = closure.graphs(locks, closure.asked(change, world, locks))
    return tuple(
        replace(hit, via=graphs[hit.path].path(hit.name)) if hit.path in graphs else hit
        for hit in found
    )


def _order(hit: Hit) -> tuple[str, int, str, str]:
    return (hit.path, hit.line, hit.name, hit.group)


def _looks(
    read: manifestfiles.Evidence, own: local.Own, database: Database | None
) -> tuple[looking.Look, looking.Look]:
    def lookup(name: str) -> tuple[Entry, ...]:
        return (*(database.entries(name) if database else ()), *own.entries.get(name, ()))

    pinned = frozenset(read.pinned)
    base, head = (looking.Look(lookup, own.statements, pinned) for _ in range(2))
    for file in read.files:
        if file.before is not None:
            base.at(file.path, file.before)
        if file.after is not None:
            head.at(file.path, file.after)
    return base, head


def _fresh(files: tuple[ManifestChange, ...]) -> set[tuple[str, str, str, str, bool]]:
    return _asked(f.after for f in files) - _asked(f.before for f in files)


def _asked(manifests: Iterable[Manifest | None]) -> set[tuple[str, str, str, str, bool]]:
    return {
        (r.ecosystem, r.name, r.specifier, r.url, bool(r.version))
        for manifest in manifests
        if manifest is not None
        for r in manifest.requirements
        if looking.concerns(r)
    }


def _unreadable(file: ManifestChange) -> list[Place]:
    if file.trouble:
        return [Place(file.path, file.line, file.trouble)]
    old = {p.message for p in file.before.problems} if file.before else set()
    problems = file.after.problems if file.after else ()
    return [Place(file.path, p.line, p.message) for p in problems if p.message not in old]


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Find malware, vulnerabilities, and what could not be looked up."""
    return judging.judge(evidence, settings)


def summary(evidence: Evidence) -> str:
    """Say how much was looked up: "68 of 70 packages resolved, advisories 12 days old"."""
    counted = f"{evidence.resolved:,} of {plural(evidence.packages, 'package')} resolved"
    if evidence.trouble:
        return f"{counted}, no database of advisories"
    lost = f", {evidence.lost:,} advisories unreadable" if evidence.lost else ""
    return f"{counted}, advisories {plural(max(evidence.age, 0), 'day')} old{lost}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show what was found, what could not be resolved, and what the project says is harmless."""
    found: list[Exhibit] = []
    if evidence.hits:
        rows = tuple(
            (h.name, shown(h.asked) or "any", h.group, "malware" if h.malware else h.severity,
             h.fixed or "-", "base" if h.old else "new")
            for h in evidence.hits[:SHOWN]
        )  # fmt: skip
        columns = ("package", "version", "advisory", "severity", "fixed in", "since")
        found.append(Table(_title("Advisories", len(evidence.hits)), columns, rows))
    if evidence.excused:
        title = _title("Stated as not affecting the project", len(evidence.excused))
        said = tuple((i, n, shown(who), until) for i, n, who, until in evidence.excused[:SHOWN])
        found.append(Table(title, ("advisory", "package", "by", "until"), said))
    return tuple(found)


def _title(title: str, count: int) -> str:
    return f"{title} (the first {SHOWN} of {count:,})" if count > SHOWN else title
