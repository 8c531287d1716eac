"""Where the files of a model folder are at a commit, and how to lay them out for a loader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Kind(StrEnum):
    """What holds a file's bytes."""

    BLOB = "blob"
    LFS = "lfs"
    DVC = "dvc"
    DVC_FOLDER = "dvc-folder"


@dataclass(frozen=True, slots=True)
class Located:
    """One file of a model folder, by digest: two equal values are the same bytes.

    `path` is relative to the model folder. `digest` is the git blob id, the LFS SHA-256 or
    the DVC md5. A DVC_FOLDER is listed by its `.dir` object only: `path` is where it goes ("" =
    the model folder itself) and `inside` the part of it that is wanted ("" = all of it).
    """

    path: str
    kind: Kind
    digest: str
    size: int
    inside: str = ""
    legacy: bool = False
    source: str = ""


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
    """What this module asks of a repository; bot.world.World is one."""

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


def locate(trees: Trees, commit: str, folder: str) -> tuple[Located, ...]:
    """Find every file of the model `folder` ("" = root) at a commit, sorted by path.

    Reads git objects only. () where the commit has no such model. Raises RegistryError.
    """
    raise NotImplementedError


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
    commits tracks that path. Raises RegistryError.
    """
    raise NotImplementedError
