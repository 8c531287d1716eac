"""What an entry of the register stands for in a commit, and the digest of that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from bot.change import FOLDER, SUBMODULE, TreeEntry
from bot.errors import TooLarge
from bot.patterns import compiled, matches
from bot.world import LOCK_LIMIT, World
from registry.borrowed.digests import listing
from registry.borrowed.values import Entry
from registry.errors import PointerError
from registry.pointers import DVC_LIMIT, PointerKind, read_dvc, read_lfs
from security.sniff import is_lfs

MAKER = "provenance/3"  # goes up with any change to the readers
MOST_FILES = 10_000  # of one entry


@dataclass(frozen=True, slots=True)
class Hashed:
    """The SHA-256 of a blob, or of what its LFS pointer names."""

    sha256: str


def covers(entry: Entry, path: str) -> bool:
    """Whether a path is what an entry stands for, or below it."""
    if entry.is_pattern:
        return matches(compiled("/" + entry.path), path)
    return path == entry.path or path.startswith(entry.path + "/") or path == f"{entry.path}.dvc"


def digest(world: World, commit: str, entry: Entry) -> str:
    """Return the digest of what is there, "" for nothing. Raises CouldNotTell or PointerError.

    A file counts by its bytes (in Git LFS by those its pointer names), a folder or pattern by its
    listing, a submodule by its commit, and what DVC tracks by the digest of its `.dvc` file.
    """
    if entry.is_pattern:
        return _several(world, tuple(_matching(world, commit, entry)))
    found = world.entry(commit, entry.path)
    if found is None:
        found = world.entry(commit, f"{entry.path}.dvc")
    if found is None:
        return ""
    if found.mode == FOLDER:
        return _several(world, world.walk(commit, found.path))
    if found.mode == SUBMODULE:
        return f"git:{found.blob}"
    if found.path.endswith(".dvc") and found.is_file:
        return _tracked(world, found)
    return f"sha256:{_sha256(world, found)}"


def _matching(world: World, commit: str, entry: Entry) -> Iterator[TreeEntry]:
    pattern = compiled("/" + entry.path)
    for found in world.walk(commit, entry.folder):
        if matches(pattern, found.path):
            yield found


def _several(world: World, entries: tuple[TreeEntry, ...]) -> str:
    if len(entries) > MOST_FILES:
        raise TooLarge(
            f"{len(entries):,} files, more than the {MOST_FILES:,} of one entry", "split the entry"
        )
    if not entries:
        return ""
    return "sha256:" + listing((entry.path, _sha256(world, entry)) for entry in entries)


def _sha256(world: World, entry: TreeEntry) -> str:
    if entry.mode == SUBMODULE:
        return entry.blob

    def make() -> Hashed:
        data = world.read(entry.blob, LOCK_LIMIT)
        if is_lfs(data):
            return Hashed(read_lfs(data, "pointer").digest)
        return Hashed(hashlib.sha256(data).hexdigest())

    return world.facts(f"{MAKER}/sha256", entry.blob, Hashed, make).sha256


def _tracked(world: World, entry: TreeEntry) -> str:
    pointers = read_dvc(world.read(entry.blob, DVC_LIMIT), entry.path)
    if len(pointers) != 1 or not pointers[0].digest:
        raise PointerError(f"{entry.path} does not name one output with its digest", "run: dvc add")
    tail = ".dir" if pointers[0].kind is PointerKind.DVC_FOLDER else ""
    return f"dvc:{pointers[0].digest}{tail}"
