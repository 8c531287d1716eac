"""The added lines of files, scanned: of git blobs, and of what LFS and DVC pointers name."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from bot import added
from bot.change import FileChange
from bot.checks.secrets.evidence import Scanned
from bot.checks.secrets.packed import bared
from bot.errors import Missing
from bot.world import LOCK_LIMIT, World
from registry import objects
from registry.outputs import is_source
from registry.pointers import LFS_LIMIT, Pointer, PointerKind, read_dvc, read_lfs
from registry.project import Project, local_caches
from security.secrets import scan
from security.sniff import is_lfs


def scanned(before: bytes | None, after: bytes, limit: int = LOCK_LIMIT) -> Scanned:
    """Return what the lines hold that `after` adds. Raises TooLarge for gzip beyond `limit`."""
    after = bared(after, limit)
    before = bared(before, limit) if before is not None else None
    if after and added.text(after) is None:
        return Scanned(binary=True)
    parts: list[bytes] = []
    firsts: list[int] = []  # line of each run among the added ones, and in the file
    numbers: list[int] = []
    count = 1
    for run in added.runs(before, after):
        data = run.data if run.data.endswith(b"\n") else run.data + b"\n"
        parts.append(data)
        firsts.append(count)
        numbers.append(run.line)
        count += data.count(b"\n")
    whole = b"".join(parts)
    found = scan(whole)
    hits = []
    for hit in found.hits:
        place = bisect_right(firsts, hit.line) - 1
        hits.append(replace(hit, line=numbers[place] + hit.line - firsts[place]))
    return Scanned(replace(found, hits=tuple(hits)), len(whole))


def of_blobs(world: World, maker: str, before: str, after: str, limit: int) -> Scanned:
    """Return what one blob adds to another, "" for none. Raises TooLarge or Missing."""

    def make() -> Scanned:
        data = world.read(after, limit)
        # What is too large to be compared with counts as absent: all of the head is new.
        old = world.read(before, limit) if before and world.size(before) <= limit else None
        return scanned(old, data, limit)

    return world.facts(f"{maker}/{before}", after, Scanned, make)


def pointers(file: FileChange, world: World) -> tuple[Pointer, ...]:
    """Return what a changed pointer file newly names. Raises PointerError, TooLarge, Missing."""
    entry = file.file
    if entry is None:
        return ()
    old = file.before.blob if file.before is not None and file.before.is_file else ""
    if file.path.endswith(".dvc"):
        known = {p.digest for p in read_dvc(world.read(old), file.path)} if old else set()
        found = read_dvc(world.read(entry.blob), file.path)
        return tuple(p for p in found if p.digest not in known)
    if is_source(file.path) or world.size(entry.blob) > LFS_LIMIT:
        return ()
    data = world.read(entry.blob, LFS_LIMIT)
    return (read_lfs(data, file.path),) if is_lfs(data) else ()


def of_pointer(world: World, maker: str, pointer: Pointer, source: str, limit: int) -> Scanned:
    """Return what the named object holds, all of it new. Raises Missing where it is not here."""
    if pointer.kind is PointerKind.LFS:
        path = objects.lfs_object(world.git_dir, pointer.digest)
        place = path if objects.is_at_hand(path) else None
    else:
        place = Project(local_caches(world.worktree, source)).find(pointer)
    if place is None or not pointer.digest or pointer.kind is PointerKind.DVC_FOLDER:
        raise Missing("its content is not at hand", "fetch it, then check again")

    def make() -> Scanned:
        head, size = objects.prefix(place, pointer.digest, added.SNIFFED)
        if added.text(bared(head, added.SNIFFED, whole=False)) is None:
            return Scanned(binary=True, size=size)
        return scanned(None, objects.read(place, pointer.digest, limit), limit)

    return world.facts(f"{maker}/object", pointer.digest, Scanned, make)
