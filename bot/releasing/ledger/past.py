"""The ledger of releases as a change is judged by it: the base repository's, read as objects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.errors import Missing, TooLarge
from bot.releasing.settings import Settings
from bot.world import World
from registry.errors import ReleaseError
from registry.release import log, values
from registry.release.ledger import LOG, Issued, Ledger, document_path
from registry.release.values import Release
from security.trust.releases import rank

_HINT = "compare the branch of releases with another clone of it, and ask who may write to it"


@dataclass(frozen=True, slots=True)
class Past:
    """A ledger at a commit of its branch, and the name of what the repository releases."""

    commit: str
    ledger: Ledger
    artifact: str

    @property
    def releases(self) -> tuple[Issued, ...]:
        """The releases of the artifact that were not withdrawn, in the order they came out."""
        return tuple(
            one for one in self.ledger.issued if one.artifact == self.artifact and not one.withdrawn
        )


def past(world: World, settings: Settings) -> Past | None:
    """Return the ledger, None where there is none here. Raises ReleaseError, Missing.

    Where the policy does not name what is released, it is what the ledger has releases of.
    """
    commit = world.ledger(settings.branch, settings.remote)
    if not commit:
        return None
    data = _read(world, commit, LOG, log.LIMIT)
    ledger = log.read_log(data)
    names = sorted({one.artifact for one in ledger.issued})
    if not settings.artifact and len(names) > 1:
        raise ReleaseError(
            f"the ledger at {commit[:12]} has releases of {', '.join(names[:5])}",
            "name the one that counts as release.artifact in the policy",
        )
    return Past(commit, ledger, settings.artifact or (names[0] if names else ""))


def document(world: World, held: Past, issued: Issued) -> Release:
    """Return the document of an issued version, its digest proven. Raises ReleaseError, Missing."""
    path = document_path(issued.artifact, issued.version)
    data = _read(world, held.commit, path, values.LIMIT)
    if hashlib.sha256(data).hexdigest() != issued.document:
        raise ReleaseError(f"{path} beside the ledger is not what the ledger says", _HINT)
    found = values.read(data)
    named = (found.artifact, found.version, found.commit)
    if named != (issued.artifact, issued.version, issued.commit):
        raise ReleaseError(f"{path} beside the ledger is of another release", _HINT)
    return found


def before(world: World, held: Past, commit: str, limit: int) -> tuple[tuple[str, str], ...]:
    """Return (name, commit) of the newest releases in a commit's history, the newest last."""
    newest = sorted(held.releases, key=lambda one: rank(one.version), reverse=True)
    known = world.ancestors(tuple(one.commit for one in newest), commit)
    found: dict[str, str] = {}
    for one in newest:
        if one.commit in known and len(found) < limit:
            found.setdefault(one.commit, f"v{one.version}")
    return tuple((name, commit) for commit, name in reversed(found.items()))


def _read(world: World, commit: str, path: str, limit: int) -> bytes:
    entry = world.entry(commit, path)
    if entry is None or not entry.is_file:
        raise ReleaseError(f"{path} of the ledger is not at {commit[:12]}", _HINT)
    try:
        return world.read(entry.blob, limit)
    except TooLarge as error:
        raise ReleaseError(f"{path} of the ledger: {error.message}", _HINT) from error
    except Missing as error:
        raise Missing(f"{path} of the ledger: {error.message}", error.hint) from error
