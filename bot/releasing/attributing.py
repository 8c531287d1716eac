"""What the locked packages of a project ask to be passed on, as one text for a bundle."""

from __future__ import annotations

from bot import catalog, manifestfiles, policy
from bot.checks import licenses
from bot.checks.licenses.packages import shelves
from bot.errors import CouldNotTell, UsageError
from bot.repository import GitWorld
from registry.borrowed.packages import document, shipped
from registry.manifests import LOCKS, DocumentError, kind_of


def packages(world: GitWorld, revision: str = "HEAD") -> str:
    """Return the licences and texts of what a commit's locks pin, from installed metadata."""
    commit = world.revisions.resolve(revision)
    used = policy.at(world, commit, catalog.CHECKS, catalog.rules())
    wanted: set[tuple[str, str]] = set()
    for entry in world.walk(commit):
        kind = kind_of(entry.path) if entry.is_file else None
        if kind is None or kind not in (*LOCKS, "requirements", "constraints"):
            continue
        try:
            found = manifestfiles.manifest(world, entry, kind)
        except (DocumentError, CouldNotTell) as error:
            raise UsageError(f"{entry.path} cannot be read: {error}", "correct it") from error
        wanted |= {(r.name, r.version) for r in found.requirements if r.name and r.version}
    if not wanted:
        raise UsageError("no lock pins any package", "commit a lock file with exact versions")
    return document(shipped(wanted, shelves(commit, world, used.section(licenses.NAME))))
