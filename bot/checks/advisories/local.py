"""A project's own advisories, and its statements that one does not affect it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.checks.advisories.evidence import Place
from bot.errors import CouldNotTell
from bot.world import World
from registry.advisories import osv
from registry.advisories.errors import AdvisoryError
from registry.advisories.merging import entries
from registry.advisories.values import Advisory, Affected, Entry, Span
from registry.advisories.versions import holds, key, parsed

MAX_FILES = 500
LIMIT = 1_000_000  # bytes of one document
_ENDINGS = (".json", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Own:
    """What the base commit holds: advisories by package, statements in force, and troubles."""

    entries: dict[str, tuple[Entry, ...]]
    statements: tuple[Advisory, ...] = ()
    expired: tuple[Place, ...] = ()
    troubles: tuple[Place, ...] = ()


def collect(world: World, base: str, folder: str, today: date) -> Own:
    """Read the folder at the base commit: what the change itself adds there does not count."""
    found: list[Advisory] = []
    statements: list[Advisory] = []
    expired: list[Place] = []
    troubles: list[Place] = []
    there = [e for e in world.walk(base, folder) if e.path.lower().endswith(_ENDINGS)]
    if len(there) > MAX_FILES:
        troubles.append(Place(folder, 0, f"more than {MAX_FILES} files; the others are not read"))
    for entry in there[:MAX_FILES]:
        try:
            if not entry.is_file:
                raise AdvisoryError("a symbolic link or submodule, not a file", "")
            data = world.read(entry.blob, LIMIT)
            yaml = not entry.path.lower().endswith(".json")
            advisory = osv.read(data, yaml=yaml, local=True)
        except (AdvisoryError, CouldNotTell) as error:
            troubles.append(Place(entry.path, 0, error.message))
            continue
        if advisory is None:
            continue
        if advisory.statement is None:
            found.append(advisory)
        elif date.fromisoformat(advisory.statement.expires) < today:
            until = advisory.statement.expires
            expired.append(Place(entry.path, 0, f"{advisory.id} expired on {until}"))
        else:
            statements.append(advisory)
    return Own(entries(found), tuple(statements), tuple(expired), tuple(troubles))


def excuse(
    statements: Sequence[Advisory], name: str, entry: Entry, version: str
) -> Advisory | None:
    """Return the statement that an entry does not affect this version of a package, if any.

    `version` is "" for a range: then only a statement on every version counts.
    """
    for statement in statements:
        about = next((a for a in statement.affected if a.name == name), None)
        if about is None or not set(statement.names) & set(entry.ids):
            continue
        if _covers(about, version):
            return statement
    return None


def _covers(about: Affected, text: str) -> bool:
    if about.vague:
        return False
    if Span("0") in about.spans or not (about.spans or about.versions):
        return True
    version = parsed(text) if text else None
    held = version is not None and any(holds(span, version) for span in about.spans)
    return held or (bool(text) and key(text) in about.versions)
