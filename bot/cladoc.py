"""The contributor agreement as a file of the repository: a version is the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.errors import Missing
from bot.people import LIMIT, ClaSignature, load_signatures
from bot.quoting import plain
from bot.world import World

DOCUMENT_LIMIT = 1_000_000  # bytes
SHOWN = 12  # hex digits of a version in messages


@dataclass(frozen=True, slots=True)
class Document:
    """The agreement at one commit; `digest` is the SHA-256 of its bytes as git keeps them."""

    path: str
    digest: str


def version(data: bytes) -> str:
    """Return the version of an agreement: what a signature is bound to."""
    return hashlib.sha256(data).hexdigest()


def read(world: World, commit: str, path: str) -> Document:
    """Return the agreement at a commit. Raises Missing, TooLarge."""
    return Document(path, version(_bytes(world, commit, path, DOCUMENT_LIMIT)))


def ledger(world: World, commit: str, path: str) -> tuple[ClaSignature, ...]:
    """Return the signatures exported to a file of the repository. Raises Missing, PeopleError."""
    return load_signatures(_bytes(world, commit, path, LIMIT), plain(path))


def _bytes(world: World, commit: str, path: str, limit: int) -> bytes:
    entry = world.entry(commit, path)
    if entry is None or not entry.is_file:
        what = "is not a regular file" if entry else "is not there"
        raise Missing(f"{plain(path)} {what} at {commit[:12]}", "commit it as a plain file")
    return world.read(entry.blob, limit)
