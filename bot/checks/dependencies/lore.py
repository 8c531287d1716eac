"""What is at hand about new names and fresh releases: installed, asked of an index, advisories.

Nothing is fetched: `modelwarden watch licenses --update` asked the index, and kept the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from packaging.utils import canonicalize_name

from bot.change import Change
from bot.errors import CouldNotTell
from bot.gitformat import committed
from bot.manifestfiles import ManifestChange
from bot.world import COMMIT_LIMIT, World
from registry.advisories.database import Database
from registry.advisories.database import default_path as advisories_path
from registry.advisories.errors import DatabaseError
from registry.licenses import cache
from registry.manifests import LOCKS
from registry.manifests.difference import Delta
from registry.manifests.popular import is_popular
from registry.moments import utc


@dataclass(frozen=True, slots=True)
class Release:
    """When an index says that the youngest file of a version was uploaded."""

    name: str
    version: str
    uploaded: str


@dataclass(frozen=True, slots=True)
class Lore:
    """What is known, and `when`: the moment at which ages are counted (UTC, RFC 3339).

    `heard` are new names that are installed here, resolved by a lock, or in the advisories.
    `asked` are what indexes said of new names, `releases` of fresh pins.
    """

    when: str = ""
    heard: tuple[str, ...] = ()
    asked: tuple[cache.Project, ...] = ()
    releases: tuple[Release, ...] = ()


def collect(
    change: Change,
    world: World,
    files: Iterable[ManifestChange],
    deltas: Iterable[Delta],
    environments: Iterable[Path],
) -> Lore:
    """Look up the names that the change adds and are not well known, and the versions it pins."""
    fresh = [d for d in deltas if d.after is not None and d.after.requirement.ecosystem == "pypi"]
    if not fresh:
        return Lore()
    added = {d.after.requirement.name for d in fresh if d.after and d.before is None} - {""}
    names = {name for name in added if not is_popular(name)}
    pins = {
        (d.after.requirement.name, d.after.requirement.version)
        for d in fresh
        if d.after and d.after.requirement.version and not d.after.requirement.uploaded
    }
    path = cache.default_path()
    asked = tuple(p for p in cache.projects(path) if p.name in names) if names else ()
    entries = cache.load(path) if pins else ()
    releases = (
        Release(e.name, e.version, e.uploaded)
        for e in entries
        if e.uploaded and (e.name, e.version) in pins
    )
    heard = set[str]()
    if names:
        heard = (names & _installed(environments)) | _resolved(files, names) | _advised(names)
    return Lore(_when(change, world), tuple(sorted(heard)), asked, tuple(releases))


def _when(change: Change, world: World) -> str:
    """Return when the head was committed, and now where it says nothing or a time to come.

    So a verdict stays what it was, and nobody makes a release look older than it is.
    """
    now = datetime.now(UTC)
    try:
        said = committed(world.read(change.head, COMMIT_LIMIT)) or now
    except (CouldNotTell, ValueError, OverflowError, OSError):
        said = now
    return utc(min(said, now))


def _installed(environments: Iterable[Path]) -> set[str]:
    found = set[str]()
    for folder in environments:
        try:
            names = [p.name for p in folder.iterdir() if p.name.endswith(".dist-info")]
        except OSError:
            continue
        found |= {canonicalize_name(n.removesuffix(".dist-info").rpartition("-")[0]) for n in names}
    return found


def _resolved(files: Iterable[ManifestChange], names: set[str]) -> set[str]:
    # A resolver that wrote down hashes has met the files.
    locks = (f.after for f in files if f.after is not None and f.kind in LOCKS)
    return {r.name for lock in locks for r in lock.requirements if r.hashed and r.name in names}


def _advised(names: set[str]) -> set[str]:
    try:
        with Database(advisories_path()) as database:
            return {name for name in names if database.entries(name)}
    except DatabaseError:
        return set()
