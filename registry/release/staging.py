"""The files of a model laid out for a release: linked where they can be, each proven once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from registry import objects
from registry.errors import CorruptWeights, StoreFailed
from registry.outputs import Trees
from registry.weights import MAX_FILES, Kind, Located, objects_of
from security import hashing
from security.hashing import Known
from security.manifest import Manifest


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
    try:
        for item in located:
            if item.kind is Kind.BLOB:
                _export(trees, item, target / item.path)
                found.append(Placed(item.path, ""))
        scratch.mkdir(parents=True, exist_ok=True)
        for path, digest, source in objects_of(
            trees, tuple(located), scratch, base_commit=commit, head_commit=commit
        ):
            _link(source, target / path)
            found.append(Placed(path, digest if len(digest) == 32 else ""))
            if len(digest) == 64:
                objects.prefix(target / path, digest, 0)
    except OSError as error:
        what = f"{target}: {error.strerror or type(error).__name__}"
        raise StoreFailed(what, "make room on the disk, and run the same again") from error
    _remove_others(target, {placed.path for placed in found})
    return tuple(found)


def _export(trees: Trees, item: Located, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    trees.export(item.digest, part, item.size)
    part.replace(path)


def _link(source: Path, path: Path) -> None:
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
    """Return the manifest of what was laid out; DVC's md5 and our SHA-256 from one reading.

    `known` is where digests of files that stay as they are, are remembered between steps.
    Raises CorruptWeights for bytes that are not those of the pointer.
    """
    held = Known.load(known)
    named = [one for one in placed if one.digest]
    with ThreadPoolExecutor(max_workers=jobs or min(8, os.cpu_count() or 1)) as pool:
        proofs = [(one, pool.submit(_md5, target / one.path)) for one in named]
        manifest = hashing.measure(target, known=held, jobs=jobs)
        for one, proof in proofs:
            if proof.result() != one.digest:
                raise CorruptWeights(
                    f"{one.path}: its bytes (md5 {proof.result()}) are not those of its pointer "
                    f"(md5 {one.digest})",
                    "delete the object from the DVC cache, and fetch or push it from an intact one",
                )
    if len(manifest.entries) > MAX_FILES:
        raise CorruptWeights(f"{target}: more than {MAX_FILES:,} files", "release less")
    held.save()
    return manifest


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _plain_md5).hexdigest()


def _plain_md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)  # DVC's name for the bytes, not a defence
