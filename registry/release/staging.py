"""The files of a model laid out for a release: linked where they can be, each proven once."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from registry import objects
from registry.errors import CorruptWeights, StoreFailed, UnsafeWeights
from registry.outputs import Trees
from registry.pointers import is_safe
from registry.proofs import Reading
from registry.release import lockstep
from registry.weights import MAX_FILES, Kind, Located, objects_of
from security import hashing
from security.hashing import Known
from security.hashing.known import FINE
from security.manifest import Manifest

TICK = 1_000_000  # ns


@dataclass(frozen=True, slots=True)
class Placed:
    """A file of the model as it was laid out, and the md5 that a DVC pointer says it has."""

    path: str
    digest: str  # "" where git or LFS name it: they are proven in other ways


def place(
    trees: Trees, located: Sequence[Located], target: Path, scratch: Path, *, commit: str
) -> tuple[Placed, ...]:
    """Lay the files out below `target`; what is there already, as it should be, stays.

    Objects are fetched by the configuration of `commit`, which is merged and trusted, into
    `scratch`. They are linked, not copied, where both are in one file system: nobody may write
    to them. Raises RegistryError, StoreFailed for a full disk.
    """
    found: list[Placed] = []
    named = set[str]()
    try:
        for item in located:
            if item.kind is Kind.BLOB:
                _name(item.path, named)
                _export(trees, item, target / item.path)
                found.append(Placed(item.path, ""))
        scratch.mkdir(parents=True, exist_ok=True)
        for path, digest, source in objects_of(
            trees, tuple(located), scratch, base_commit=commit, head_commit=commit
        ):
            _name(path, named)
            link(source, target / path)
            found.append(Placed(path, digest if len(digest) == 32 else ""))
            if len(digest) == 64:
                objects.prefix(target / path, digest, 0)
    except OSError as error:
        what = f"{target}: {error.strerror or type(error).__name__}"
        raise StoreFailed(what, "make room on the disk, and run the same again") from error
    _remove_others(target, {placed.path for placed in found})
    return tuple(found)


def _name(path: str, named: set[str]) -> None:
    """Refuse a file that is named twice: one would be reviewed, and the other be released."""
    if not is_safe(path) or path in named or len(named) >= MAX_FILES:
        raise UnsafeWeights(
            f"{path!r:.200} is an unsafe name, named twice, or one file too many",
            "track every file of the model once, under a plain name",
        )
    named.add(path)


def _export(trees: Trees, item: Located, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    trees.export(item.digest, part, item.size)
    part.replace(path)


def link(source: Path, path: Path) -> None:
    """Put a file at a path too, linked where it can be. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.samefile(source):
        return
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, part)
    part.replace(path)


def _remove_others(target: Path, kept: set[str]) -> None:
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(target).as_posix() not in kept:
            path.unlink()


def measure(target: Path, placed: Iterable[Placed], known: Path, *, jobs: int = 0) -> Manifest:
    """Return the manifest of what was laid out, whose bytes are those of DVC's pointers.

    Most files are read once for their md5 and our SHA-256; large ones of a size are read for each
    at the same time (registry.release.lockstep), and must not change between. `known` is where
    digests of files that stay as they are, are remembered between steps.
    Raises CorruptWeights for bytes that are not those of the pointer.
    """
    held = Known.load(known)
    named = {one.path: one.digest for one in placed if one.digest}
    read: dict[str, hashlib._Hash] = {}
    _settle(target / path for path in named)
    apart = lockstep.worth(target, named)

    def beside(path: str) -> hashlib._Hash | None:
        if path not in named or path in apart:
            return None
        read[path] = _plain_md5()
        return read[path]

    # What the checks read of DVC's cache are links to the very same files.
    readings = {path: Reading(target / path) for path in named}
    with lockstep.running(target, apart, jobs=jobs) as others:
        manifest = hashing.measure(target, known=held, jobs=jobs, beside=beside)
        found = others()
    lockstep.still(target, apart.values())
    # The SHA-256 of an unchanged file can be known from before; its md5 is not kept.
    late = [path for path in named if path not in read and path not in apart]
    with ThreadPoolExecutor(max_workers=jobs or min(8, os.cpu_count() or 1)) as pool:
        read |= zip(late, pool.map(lambda path: _md5(target / path), late), strict=True)
    found |= {path: made.hexdigest() for path, made in read.items()}
    for path, digest in named.items():
        _agree(path, found[path], digest)
        readings[path].proven(digest)
    if len(manifest.entries) > MAX_FILES:
        raise CorruptWeights(f"{target}: more than {MAX_FILES:,} files", "release less")
    held.save()
    return manifest


def _agree(path: str, found: str, digest: str) -> None:
    if found != digest:
        raise CorruptWeights(
            f"{path}: its bytes (md5 {found}) are not those of its pointer (md5 {digest})",
            "delete the object from the DVC cache, and fetch or push it from an intact one",
        )


def _settle(paths: Iterable[Path]) -> None:
    """Wait until a change of these files would show in their times.

    Linking is a change of a file: digests of one that was linked in this very tick of the clock
    are not remembered (security.hashing.known), and later steps would read all of it again.
    """
    newest = max((path.stat().st_ctime_ns for path in paths), default=0)
    left = newest + FINE - time.time_ns()
    if 0 <= left <= FINE:
        time.sleep((left + TICK) / 1e9)


def _md5(path: Path) -> hashlib._Hash:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _plain_md5)


def _plain_md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # DVC's name for the bytes, not a defence
