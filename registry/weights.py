"""Where the files of a model folder are at a commit: git blobs, LFS objects, DVC outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from registry import objects
from registry.errors import MissingWeights, RegistryError, UnsafeWeights
from registry.outputs import Entry, Output, Trees, is_source, outputs
from registry.pointers import (
    DVC_LIMIT,
    LFS_LIMIT,
    UNKNOWN_SIZE,
    Pointer,
    PointerKind,
    is_safe,
    read_dir,
    read_lfs,
)
from registry.project import Project, project_of
from security.sniff import is_lfs

MAX_FILES = 10_000
LFS_HINT = "run 'git lfs fetch' for that commit (in a workflow: check out with 'lfs: true')"
_NOT_MODEL = (".gitignore", ".gitattributes", "dvc.yaml")


class Kind(StrEnum):
    """What holds a file's bytes."""

    BLOB = "blob"
    LFS = "lfs"
    DVC = "dvc"
    DVC_FOLDER = "dvc-folder"


@dataclass(frozen=True, slots=True)
class Located:
    """One file of a model folder, by digest.

    `path` is relative to the model folder; `digest` is the git blob id, the LFS SHA-256 or the
    DVC md5; `size` is -1 where the pointer does not say. A DVC_FOLDER stands for all its files,
    which only its `.dir` object lists: they go below `path` ("" = the model folder), and where
    the model is only a part of that folder, `inside` is that part. `source` is the tracked file
    that names the bytes, from the root; `legacy` marks the layout of DVC 2.
    """

    path: str
    kind: Kind
    digest: str
    size: int
    source: str
    inside: str = ""
    legacy: bool = False


def locate(trees: Trees, commit: str, folder: str) -> tuple[Located, ...]:
    """Find every file of the model `folder` ("" = root) at a commit, sorted by path.

    Reads git objects only. () where the commit has no such model. Two commits have the same
    model where (path, kind, digest, inside) are equal. Raises RegistryError.
    """
    entries = trees.walk(commit, folder)
    if len(entries) > MAX_FILES:
        raise UnsafeWeights(
            f"{folder or 'the root'} holds {len(entries):,} files, more than {MAX_FILES:,}",
            "name a folder that holds the model alone",
        )
    prefix = folder + "/" if folder else ""
    found = [_in_git(trees, entry, prefix) for entry in entries if _is_model(entry.path)]
    tracked = {item.path for item in found}
    for output in outputs(trees, commit, folder, entries):
        # An output that DVC does not cache (a metrics file) is in git itself.
        found += [item for item in _in_dvc(output, folder, prefix) if item.path not in tracked]
    return tuple(sorted(found, key=lambda item: (item.path, item.source)))


def _is_model(path: str) -> bool:
    return not is_source(path) and path.rpartition("/")[2] not in _NOT_MODEL


def _in_git(trees: Trees, entry: Entry, prefix: str) -> Located:
    path = entry.path.removeprefix(prefix)
    if not entry.is_file:
        raise UnsafeWeights(
            f"{entry.path} is a symbolic link or a submodule",
            "put the file itself into the model folder",
        )
    if not is_safe(path):
        raise UnsafeWeights(f"{entry.path!r:.200} is not a safe name", "rename the file")
    size = trees.size(entry.blob)
    if size <= LFS_LIMIT:
        data = trees.read(entry.blob, LFS_LIMIT)
        if is_lfs(data):
            pointer = read_lfs(data, entry.path)
            return Located(path, Kind.LFS, pointer.digest, pointer.size, entry.path)
    return Located(path, Kind.BLOB, entry.blob, size, entry.path)


def _in_dvc(output: Output, folder: str, prefix: str) -> Iterator[Located]:
    pointer = output.pointer
    if not pointer.digest:
        raise MissingWeights(
            f"{output.source} records no md5 for {pointer.path}",
            "run 'dvc repro' or 'dvc commit', then 'dvc push'; cloud versions are not supported",
        )
    kind = Kind.DVC_FOLDER if pointer.kind is PointerKind.DVC_FOLDER else Kind.DVC
    if pointer.path == folder and kind is Kind.DVC:
        return  # the "folder" is one file
    path, inside = "", ""
    if folder.startswith(pointer.path + "/"):
        inside = folder.removeprefix(pointer.path + "/")
    elif pointer.path != folder:
        path = pointer.path.removeprefix(prefix)
    yield Located(path, kind, pointer.digest, pointer.size, output.source, inside, pointer.legacy)


def materialise(
    trees: Trees,
    located: tuple[Located, ...],
    target: Path,
    *,
    base_commit: str,
    head_commit: str,
    limit_bytes: int,
) -> None:
    """Write the files below `target` (which exists and is empty), each verified by its digest.

    DVC objects that are not in the local cache are fetched with the configuration of
    `base_commit` only. The operator's own `.dvc/config.local` is used unless one of the two
    commits tracks that path. Raises RegistryError; what was written until then stays.
    """
    stated = sum(max(item.size, 0) for item in located)
    if stated > limit_bytes:
        raise _too_large(limit_bytes)
    with tempfile.TemporaryDirectory(prefix="modelwarden-cache-") as scratch:
        left, written = limit_bytes, set[str]()
        for item in located:
            if item.kind is Kind.BLOB:
                path = _place(item.path, target, written)
                trees.export(item.digest, path, left)
                left -= item.size
        for name, digest, source in objects_of(
            trees, located, Path(scratch), base_commit=base_commit, head_commit=head_commit
        ):
            path = _place(name, target, written)
            try:
                left -= objects.copy(source, digest, path, left)
            except RegistryError as error:
                raise type(error)(f"{name}: {error.message}", error.hint) from error


def objects_of(
    trees: Trees,
    located: tuple[Located, ...],
    scratch: Path,
    *,
    base_commit: str,
    head_commit: str,
) -> Iterator[tuple[str, str, Path]]:
    """Yield (path in the model, digest, file at hand) of everything that is not a git blob.

    What no cache at hand has is fetched into `scratch`. Raises RegistryError.
    """
    for item in located:
        if item.kind is Kind.LFS:
            path = objects.lfs_object(trees.git_dir, item.digest)
            if not objects.is_at_hand(path):
                raise MissingWeights(
                    f"{item.source}: its LFS object {item.digest} is not at hand", LFS_HINT
                )
            yield item.path, item.digest, path
    tracked = [item for item in located if item.kind in (Kind.DVC, Kind.DVC_FOLDER)]
    for source in sorted({item.source for item in tracked}):
        project = project_of(
            trees, source, scratch, base_commit=base_commit, head_commit=head_commit
        )
        yield from _of_project(project, [item for item in tracked if item.source == source])


def _of_project(project: Project, items: list[Located]) -> Iterator[tuple[str, str, Path]]:
    pointers = tuple((item, _pointer(item)) for item in items)
    project.fetch(tuple(pointer for _, pointer in pointers))
    files: list[tuple[str, Pointer]] = []
    for item, pointer in pointers:
        if item.kind is Kind.DVC:
            files.append((item.path, pointer))
            continue
        listing = project.find(pointer)
        data = objects.read(listing, pointer.digest, DVC_LIMIT) if listing else b""
        files += _members(item, pointer, data)
    project.fetch(tuple(pointer for _, pointer in files))
    for name, pointer in files:
        path = project.find(pointer)
        if path is not None:  # always: fetch raises where something stays away
            yield name, pointer.digest, path


def _pointer(item: Located) -> Pointer:
    kind = PointerKind.DVC_FOLDER if item.kind is Kind.DVC_FOLDER else PointerKind.DVC
    return Pointer(item.path or item.source, kind, item.digest, item.size, item.legacy)


def _members(item: Located, folder: Pointer, data: bytes) -> Iterator[tuple[str, Pointer]]:
    prefix = item.inside + "/" if item.inside else ""
    for member in read_dir(data, folder.path):
        if member.path.startswith(prefix):
            name = member.path.removeprefix(prefix)
            path = f"{item.path}/{name}" if item.path else name
            yield path, Pointer(path, PointerKind.DVC, member.digest, UNKNOWN_SIZE, item.legacy)


def _place(name: str, target: Path, written: set[str]) -> Path:
    if not is_safe(name) or name in written or len(written) >= MAX_FILES:
        raise UnsafeWeights(
            f"{name!r:.200} is an unsafe name, named twice, or one file too many",
            "track every file of the model once, under a plain name",
        )
    written.add(name)
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _too_large(limit: int) -> UnsafeWeights:
    return UnsafeWeights(
        f"the model is larger than the limit of {limit:,} bytes",
        "raise the limit in the policy, or shrink the model",
    )
