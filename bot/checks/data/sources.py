"""Where data is: in git itself, or behind an LFS or DVC pointer whose object is at hand."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bot.change import FOLDER, SYMLINK, TreeEntry
from bot.errors import Missing, TooLarge
from bot.patterns import Pattern, any_matches
from bot.world import World
from lab.data.records import kind_of
from registry import objects
from registry.errors import RegistryError
from registry.outputs import is_source, read_source
from registry.pointers import DVC_LIMIT, LFS_LIMIT, Pointer, PointerKind, read_dir, read_lfs
from registry.project import Project, local_caches
from security.sniff import is_lfs

# Files that stand beside data and are none.
PAPERS = ("readme", "license", "licence", "notice", "changelog", "dataset_info", "croissant")
# Formats that hold records, or whole files of them, and that nothing here reads.
_SEALED = (
    ".zst .arrow .feather .orc .avro .tfrecord .tfrecords .npy .npz .h5 .hdf5 .msgpack .mds .pkl"
    " .pickle .bin .zip .tar .gz .tgz .tbz2 .txz .bz2 .xz .lz4 .7z .rar .sqlite .xlsx"
)
SEALED = tuple(_SEALED.split())
FORMAT = (
    "its format is not read, so nothing in it was looked at: JSONL, JSON, CSV, TSV, text and"
    " parquet are, plain or gzipped"
)
MAX_MEMBERS = 2_000  # files of one DVC folder


@dataclass(frozen=True, slots=True)
class Source:
    """A data file: `place` is what git has of it (itself or the file that tracks it), `key` the
    id of its bytes. `doubt` says why they are not at hand, or ""."""

    path: str
    place: str
    key: str
    size: int = 0
    object: Path | None = None
    doubt: str = ""


def may_track(path: str) -> bool:
    """Whether a file of this name tracks DVC outputs."""
    return is_source(path)


def is_data(path: str, patterns: tuple[Pattern, ...]) -> bool:
    """Whether a path is that of a data file of these patterns."""
    return bool(kind_of(path)) and _is_of(path, patterns)


def is_sealed(path: str, patterns: tuple[Pattern, ...]) -> bool:
    """Whether a path is that of data of these patterns, in a format that is not read."""
    name = path.lower()
    return name.endswith(SEALED) and not kind_of(path) and _is_of(path, patterns)


def _is_of(path: str, patterns: tuple[Pattern, ...]) -> bool:
    name = path.rpartition("/")[2].lower()
    return not name.startswith(PAPERS) and any_matches(patterns, path)


def sources(
    world: World, commit: str, entry: TreeEntry, patterns: tuple[Pattern, ...]
) -> Iterator[Source]:
    """Yield the data files that one path of a commit is or names."""
    if is_source(entry.path):
        if entry.is_file:
            yield from _tracked(world, commit, entry, patterns)
    elif is_data(entry.path, patterns) and entry.mode != FOLDER:
        yield _in_git(world, entry)
    elif is_sealed(entry.path, patterns) and entry.mode != FOLDER:
        yield Source(entry.path, entry.path, entry.blob, doubt=FORMAT)


def _in_git(world: World, entry: TreeEntry) -> Source:
    if not entry.is_file:
        kind = "a symbolic link" if entry.mode == SYMLINK else "a submodule"
        return Source(entry.path, entry.path, entry.blob, doubt=f"it is {kind}")
    try:
        size = world.size(entry.blob)
        data = world.prefix(entry.blob, LFS_LIMIT + 1) if size <= LFS_LIMIT else b""
    except Missing as error:
        return Source(entry.path, entry.path, entry.blob, doubt=error.message)
    if not is_lfs(data):
        return Source(entry.path, entry.path, entry.blob, size)
    try:
        pointer = read_lfs(data, entry.path)
    except RegistryError as error:
        return Source(entry.path, entry.path, entry.blob, doubt=error.message)
    return _object(pointer, entry.path, objects.lfs_object(world.git_dir, pointer.digest))


def _tracked(
    world: World, commit: str, entry: TreeEntry, patterns: tuple[Pattern, ...]
) -> Iterator[Source]:
    project = Project(local_caches(world.worktree, entry.path))
    try:
        for output in read_source(world, commit, entry):
            pointer = output.pointer
            if pointer.kind is PointerKind.DVC_FOLDER:
                yield from _members(pointer, entry.path, project, patterns)
            elif is_data(pointer.path, patterns):
                yield _object(pointer, entry.path, project.find(pointer))
            elif is_sealed(pointer.path, patterns):
                yield Source(pointer.path, entry.path, pointer.digest, doubt=FORMAT)
    except (RegistryError, TooLarge, Missing) as error:
        if any_matches(patterns, entry.path):
            yield Source(entry.path, entry.path, entry.blob, doubt=error.message)


def _members(
    folder: Pointer, place: str, project: Project, patterns: tuple[Pattern, ...]
) -> Iterator[Source]:
    # What a folder holds is only known from its list; its own path is asked for with a name.
    wanted = any_matches(patterns, f"{folder.path}/data.jsonl")
    listing = project.find(folder)
    if listing is None:
        if wanted:
            doubt = "its list of files is not at hand"
            yield Source(folder.path, place, folder.digest, doubt=doubt)
        return
    members = read_dir(objects.read(listing, folder.digest, DVC_LIMIT), folder.path)
    named = [(f"{folder.path}/{m.path}", m.digest) for m in members]
    for path, digest in named:
        if is_sealed(path, patterns):
            yield Source(path, place, digest, doubt=FORMAT)
    found = [(path, digest) for path, digest in named if is_data(path, patterns)]
    for path, digest in found[:MAX_MEMBERS]:
        pointer = Pointer(path, PointerKind.DVC, digest, -1, folder.legacy)
        yield _object(pointer, place, project.find(pointer))
    if len(found) > MAX_MEMBERS:
        doubt = f"it brings {len(found):,} files, of which {MAX_MEMBERS:,} were read"
        yield Source(folder.path, place, folder.digest, doubt=doubt)


def _object(pointer: Pointer, place: str, path: Path | None) -> Source:
    if path is None or not pointer.digest or not objects.is_at_hand(path):
        return Source(pointer.path, place, pointer.digest, doubt="its object is not at hand")
    return Source(pointer.path, place, pointer.digest, path.stat().st_size, path)


@contextmanager
def opened(world: World, source: Source, limit: int) -> Iterator[BinaryIO]:
    """Give the bytes of a source. Raises TooLarge, Missing, or RegistryError where they differ."""
    if source.object is None:
        yield io.BytesIO(world.read(source.key, limit))
        return
    with (
        objects.opened(source.object, source.key) as handle,
        os.fdopen(os.dup(handle), "rb") as stream,
    ):
        stream.seek(0)
        yield stream


def folders(patterns: Iterable[Pattern]) -> tuple[str, ...]:
    """Return the folders that hold everything patterns can match, "" for the root."""
    found = set()
    for pattern in patterns:
        fixed = []
        for part in pattern.parts[:-1]:
            if "*" in part or "?" in part:
                break
            fixed.append(part)
        found.add("/".join(fixed))
    return tuple(sorted(f for f in found if not any(_inside(f, other) for other in found)))


def _inside(folder: str, other: str) -> bool:
    return folder != other and (not other or folder.startswith(other + "/"))


def candidates(world: World, commit: str, patterns: tuple[Pattern, ...]) -> tuple[TreeEntry, ...]:
    """Return the paths of a commit that are data of these patterns, or name such. By path."""
    entries = {e.path: e for folder in folders(patterns) for e in world.walk(commit, folder)}
    kept = (e for e in entries.values() if is_source(e.path) or is_data(e.path, patterns))
    return tuple(sorted(kept, key=lambda entry: entry.path))


def standing(
    world: World, commit: str, entries: Iterable[TreeEntry], patterns: tuple[Pattern, ...]
) -> tuple[Source, ...]:
    """Return the data files that these paths are or name, by path; what lacks is asked for once."""
    entries = tuple(entries)
    world.need(tuple(entry.blob for entry in entries if entry.is_file))
    found = [source for entry in entries for source in sources(world, commit, entry, patterns)]
    read = (source for source in found if source.doubt != FORMAT)
    return tuple(sorted(read, key=lambda source: source.path))
