"""Changed LFS and DVC pointers, for the weights check: what they name, and their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bot.change import Change, FileChange
from bot.checks.weights.configs import ConfigChange, read_config
from bot.checks.weights.files import (
    HEADER_LIMIT,
    PLAIN,
    ModelFile,
    examine,
    is_source_text,
    names_code,
)
from bot.checks.weights.scans import TEXTS, Scanner
from bot.errors import TooLarge
from bot.world import World
from registry import objects
from registry.errors import PointerError, RegistryError
from registry.modelconfig import CONFIG_NAMES
from registry.outputs import is_source, read_source
from registry.pointers import (
    DVC_LIMIT,
    LFS_LIMIT,
    Member,
    Pointer,
    PointerKind,
    read_dir,
    read_lfs,
)
from registry.project import Project, local_caches
from security.scan.source import Source, of_descriptor
from security.scan.values import Scanned
from security.sniff import is_lfs

MAX_MEMBERS = 2000  # files of one DVC folder that are looked at


@dataclass(frozen=True, slots=True)
class PointerChange:
    """A pointer the change adds or moves. `doubt` says why its content was not judged, or "";
    `suspect` whether a name among what was not judged is one of a format that can run code."""

    path: str
    source: str
    kind: str
    digest: str
    size: int
    before: str
    doubt: str = ""
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Pointers:
    """All changed pointers, the files behind them that are at hand, and the malformed ones."""

    changes: tuple[PointerChange, ...] = ()
    files: tuple[ModelFile, ...] = ()
    configs: tuple[ConfigChange, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What of one pointer's content is at hand; `doubt` says why not all of it was judged."""

    files: tuple[ModelFile, ...] = ()
    configs: tuple[ConfigChange, ...] = ()
    doubt: str = ""
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    """What objects are read with."""

    libraries: frozenset[str]
    scanner: Scanner

    def scan(
        self, path: str, digest: str, place: str, found: str, source: Source
    ) -> Scanned | None:
        """Scan an object whose digest was proven; None for text that no loader reads."""
        if found in PLAIN and path.rpartition("/")[2] not in TEXTS:
            return None
        if place == "lfs":
            return self.scanner.kept(path, digest, source)
        return self.scanner.source(source)  # two files may share an md5


def collect(
    change: Change,
    world: World,
    lfs: tuple[FileChange, ...],
    libraries: frozenset[str],
    scanner: Scanner,
) -> Pointers:
    """Read the pointers that differ: `lfs` are the files known to hold one, DVC's go by name."""
    changes: list[PointerChange] = []
    seen: list[Seen] = []
    after, before, broken = _differing(change, world, lfs)
    for pointer, source in after:
        old = before.get(pointer.path)
        if _is_same(old, pointer) or is_in_git(pointer, world, change.head):
            continue
        one = _content(pointer, old, source, world, _Reader(libraries, scanner))
        seen.append(one)
        changes.append(
            PointerChange(
                pointer.path,
                source,
                pointer.kind,
                pointer.digest,
                pointer.size,
                old.digest if old else "",
                one.doubt,
                one.suspect,
            )
        )
    files = tuple(file for one in seen for file in one.files)
    configs = tuple(config for one in seen for config in one.configs)
    return Pointers(tuple(changes), files, configs, broken)


def _differing(
    change: Change, world: World, lfs: tuple[FileChange, ...]
) -> tuple[list[tuple[Pointer, str]], dict[str, Pointer], tuple[tuple[str, str], ...]]:
    """Return (pointer, source) after, pointers before by path, and (path, reason) of broken."""
    after: list[tuple[Pointer, str]] = []
    before: dict[str, Pointer] = {}
    broken: list[tuple[str, str]] = []
    for file in (*lfs, *(f for f in change.files if is_source(f.path))):
        before |= {p.path: p for p in _before(file, world, change.merge_base)}
        try:
            after += [(p, file.path) for p in _after(file, world, change.head)]
        except PointerError as error:
            broken.append((file.path, error.message))
    return after, before, tuple(broken)


def _before(file: FileChange, world: World, commit: str) -> tuple[Pointer, ...]:
    try:
        entry = file.before
        if entry is None or not entry.is_file:
            return ()
        if is_source(file.path):
            return tuple(o.pointer for o in read_source(world, commit, entry))
        if world.size(entry.blob) > LFS_LIMIT:
            return ()
        data = world.read(entry.blob, LFS_LIMIT)
        return (read_lfs(data, file.path),) if is_lfs(data) else ()
    except PointerError:
        return ()  # it was broken before: everything it names now is new


def _after(file: FileChange, world: World, commit: str) -> tuple[Pointer, ...]:
    entry = file.file
    if entry is None:
        if file.deleted or not is_source(file.path):
            return ()
        # DVC follows a link to whatever file tracks outputs under another name.
        raise PointerError(f"{file.path}: not a regular file", "put the file itself there")
    if is_source(file.path):
        return tuple(o.pointer for o in read_source(world, commit, entry))
    return (read_lfs(world.prefix(entry.blob, LFS_LIMIT + 1), file.path),)


def _is_same(old: Pointer | None, new: Pointer) -> bool:
    # Without a digest (cloud versions) nothing says that the content is the same.
    return old is not None and bool(new.digest) and (old.kind, old.digest) == (new.kind, new.digest)


def is_in_git(pointer: Pointer, world: World, commit: str) -> bool:
    """Whether a DVC output is not cached, but kept in git itself."""
    # DVC also records outputs it does not cache (metrics); those are judged as git blobs. A
    # file of other bytes is a decoy: a checkout by DVC puts its own content in that place.
    entry = world.entry(commit, pointer.path) if pointer.kind is PointerKind.DVC else None
    if entry is None or not entry.is_file:
        return False
    try:
        data = world.read(entry.blob)
    except TooLarge:
        return False
    known = (data, data.replace(b"\r\n", b"\n")) if pointer.legacy else (data,)
    return any(hashlib.md5(d, usedforsecurity=False).hexdigest() == pointer.digest for d in known)


def _content(
    pointer: Pointer, old: Pointer | None, source: str, world: World, reader: _Reader
) -> Seen:
    """Judge the files behind a pointer that are at hand."""
    try:
        if pointer.kind is PointerKind.LFS:
            path = objects.lfs_object(world.git_dir, pointer.digest)
            return _one(pointer, path if objects.is_at_hand(path) else None, "lfs", reader)
        project = Project(local_caches(world.worktree, source))
        if pointer.kind is PointerKind.DVC:
            return _one(pointer, project.find(pointer), "dvc", reader)
        return _folder(pointer, old, project, reader)
    except RegistryError as error:
        return Seen(doubt=error.message, suspect=names_code(pointer.path))


def _one(pointer: Pointer, path: Path | None, place: str, reader: _Reader) -> Seen:
    if not pointer.digest:
        return Seen(doubt="no digest is recorded", suspect=names_code(pointer.path))
    if path is None:
        return Seen(doubt="its object is not at hand", suspect=names_code(pointer.path))
    with objects.opened(path, pointer.digest) as opened:
        whole = of_descriptor(pointer.path, opened)
        data = whole.read(0, HEADER_LIMIT + 8)
        content = examine(pointer.path, whole.size, lambda count: data[:count])
        scanned = reader.scan(pointer.path, pointer.digest, place, content.format, whole)
    file = ModelFile(pointer.path, place, content, scanned=scanned)
    configs: tuple[ConfigChange, ...] = ()
    if pointer.path.rpartition("/")[2] in CONFIG_NAMES:
        configs = (read_config(pointer.path, data, reader.libraries),)
    return Seen((file,), configs)


def _folder(pointer: Pointer, old: Pointer | None, project: Project, reader: _Reader) -> Seen:
    if project.find(pointer) is None:
        return Seen(doubt="its list of files is not at hand")
    known = frozenset(_members(old, project) if old else ())
    fresh = [m for m in _members(pointer, project) if m not in known]
    if len(fresh) > MAX_MEMBERS:
        doubt = f"it brings {len(fresh):,} files, more than {MAX_MEMBERS:,}"
        return Seen(doubt=doubt, suspect=any(names_code(m.path) for m in fresh))
    seen: list[tuple[str, Seen]] = []
    for member in fresh:
        if not is_source_text(member.path):
            path = f"{pointer.path}/{member.path}"
            one = Pointer(path, PointerKind.DVC, member.digest, -1, pointer.legacy)
            seen.append((member.path, _one(one, project.find(one), "dvc", reader)))
    doubts = (f"{name}: {one.doubt}" for name, one in seen if one.doubt)
    return Seen(
        tuple(file for _, one in seen for file in one.files),
        tuple(config for _, one in seen for config in one.configs),
        next(doubts, ""),
        any(one.suspect for _, one in seen),
    )


def _members(pointer: Pointer, project: Project) -> tuple[Member, ...]:
    listing = project.find(pointer)
    if listing is None or pointer.kind is not PointerKind.DVC_FOLDER:
        return ()
    return read_dir(objects.read(listing, pointer.digest, DVC_LIMIT), pointer.path)
