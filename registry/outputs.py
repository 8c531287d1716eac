"""Which DVC outputs a commit tracks in, at or around a folder; read from git objects only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from registry.errors import UnsafeWeights
from registry.pointers import (
    DVC_LIMIT,
    Pointer,
    PointerKind,
    read_dvc,
    read_lock,
    read_wdirs,
)

MAX_SOURCES = 5000


class Entry(Protocol):
    """One name in a tree, as git knows it."""

    @property
    def path(self) -> str:
        """The whole path from the root."""

    @property
    def mode(self) -> str:
        """Git's six octal digits."""

    @property
    def blob(self) -> str:
        """The object id."""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""


class Trees(Protocol):
    """What this part asks of a repository; the bot's World is one."""

    @property
    def git_dir(self) -> Path:
        """The repository's common git folder."""

    @property
    def worktree(self) -> Path | None:
        """The working folder, or None for a bare repository."""

    def size(self, blob: str) -> int:
        """Return a blob's size."""

    def read(self, blob: str, limit: int = ...) -> bytes:
        """Return a blob's bytes, bounded."""

    def export(self, blob: str, target: Path, limit: int) -> None:
        """Stream a blob to a new file, bounded."""

    def entry(self, commit: str, path: str) -> Entry | None:
        """Return what a path is at a commit."""

    def folder(self, commit: str, path: str = "") -> tuple[Entry, ...]:
        """List one folder."""

    def walk(self, commit: str, path: str = "") -> tuple[Entry, ...]:
        """List every file below a folder."""


@dataclass(frozen=True, slots=True)
class Output:
    """One DVC output and the file (`.dvc` or `dvc.lock`) that tracks it."""

    pointer: Pointer
    source: str


def is_source(path: str) -> bool:
    """Whether a path is a file that tracks DVC outputs."""
    name = path.rpartition("/")[2]
    return name == "dvc.lock" or (name.endswith(".dvc") and name != ".dvc")


def ancestors(folder: str) -> tuple[str, ...]:
    """Return the folder and every folder above it, nearest first, the root ("") last."""
    parts = folder.split("/") if folder else []
    return tuple("/".join(parts[:count]) for count in range(len(parts), -1, -1))


def read_source(trees: Trees, commit: str, entry: Entry) -> tuple[Output, ...]:
    """Read one tracking file as it is at a commit. Raises PointerError."""
    data = trees.read(entry.blob, DVC_LIMIT)
    if not entry.path.endswith("dvc.lock"):
        return tuple(Output(p, entry.path) for p in read_dvc(data, entry.path))
    pipeline = trees.entry(commit, entry.path.removesuffix("dvc.lock") + "dvc.yaml")
    wdirs = {}
    if pipeline is not None and pipeline.is_file:
        wdirs = read_wdirs(trees.read(pipeline.blob, DVC_LIMIT), pipeline.path)
    return tuple(Output(p, entry.path) for p in read_lock(data, entry.path, wdirs))


def outputs(
    trees: Trees, commit: str, folder: str, inside: Iterable[Entry] = ()
) -> tuple[Output, ...]:
    """Return the outputs that are `folder`, hold it or lie in it, sorted by path.

    Tracking files are looked for beside the folder, above it, and among `inside`.
    """
    around = (e for above in ancestors(folder) for e in trees.folder(commit, above))
    sources = {e.path: e for e in (*around, *inside) if e.is_file and is_source(e.path)}
    if len(sources) > MAX_SOURCES:
        raise UnsafeWeights(
            f"{len(sources):,} DVC files around {folder or 'the root'}, more than {MAX_SOURCES:,}",
            "track the model in a folder of its own",
        )
    found = {o for entry in sources.values() for o in read_source(trees, commit, entry)}
    touching = (o for o in found if _touches(o.pointer, folder))
    return tuple(sorted(touching, key=lambda o: (o.pointer.path, o.source)))


def _touches(pointer: Pointer, folder: str) -> bool:
    if pointer.path == folder or not folder or pointer.path.startswith(folder + "/"):
        return True
    return pointer.kind is PointerKind.DVC_FOLDER and folder.startswith(pointer.path + "/")
