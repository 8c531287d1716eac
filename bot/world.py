"""What a check may ask of the outside: git objects by id, and what the platform said of people.

`bot/repository.py` answers from a repository, `tests/fakes.py` from literals.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from bot.change import Commit, TreeEntry
from bot.people import People
from bot.roster import Roster
from registry.release.ledger import Issued, Ledger

T = TypeVar("T")

TEXT_LIMIT = 5_000_000  # bytes of one text file a check reads
LOCK_LIMIT = 50_000_000  # bytes of one lock file
COMMIT_LIMIT = 1_000_000  # bytes of one commit object


class Store(Protocol):
    """What is remembered between runs, by key. Losing it costs time, nothing else."""

    def get(self, key: str) -> bytes | None:
        """Return what is kept under `key`, or None."""

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`, if there is room."""


class World(Protocol):
    """Reads of the repository under review. Nothing is checked out, no filter or hook runs."""

    @property
    def git_dir(self) -> Path:
        """The repository's common git folder (LFS objects live below it)."""

    @property
    def worktree(self) -> Path | None:
        """The working folder, or None for a bare repository."""

    @property
    def store(self) -> Store:
        """What other commands of this machine remember, such as scores of `measure`."""

    @property
    def people(self) -> People | None:
        """What the platform proves about the people of the change; None where nobody asked it."""

    def size(self, blob: str) -> int:
        """Return a blob's size in bytes. Raises Missing."""

    def need(self, blobs: tuple[str, ...]) -> None:
        """Say that these will be read: what is not at hand is asked for at once, if anybody can."""

    def read(self, blob: str, limit: int = TEXT_LIMIT) -> bytes:
        """Return a blob's bytes. Raises TooLarge beyond `limit` before reading, or Missing."""

    def prefix(self, blob: str, count: int) -> bytes:
        """Return at most the first `count` bytes of a blob of any size. Raises Missing."""

    def export(self, blob: str, target: Path, limit: int) -> None:
        """Stream a blob to a new file. Raises TooLarge before reading, or Missing."""

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """Return what `path` is at a commit, or None."""

    def folder(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        """List one folder, not its subfolders' content; () where there is none."""

    def walk(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        """List every file below a folder. Cost follows the folder: avoid it at the root."""

    def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """Return the commits in head but not in base, oldest first; () for a staged tree."""

    def authors(self, commit: str) -> Roster:
        """Return who wrote the history of a commit, its newest part; nobody for a tree."""

    def releases(self, commit: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Return (tag, commit) of versions that are in a commit's history, newest version last.

        At most the `limit` newest, one for each commit; () for a staged tree. Raises TooLarge.
        """

    def ledger(self, branch: str, remote: str) -> str:
        """Return the commit of the branch that keeps the ledger of releases, "" for none here.

        Only that of the base repository counts (`remote` names it in a clone), never a fork's.
        """

    def baseline(self, ledger: Ledger, artifact: str, commit: str) -> Issued | None:
        """Return the release that a commit descends from, by lineage. Raises RepositoryError."""

    def ancestors(self, commits: tuple[str, ...], commit: str) -> frozenset[str]:
        """Return which of these commits are in the history of a commit, itself included."""

    def signer(self, commit: str, allowed_signers: bytes) -> str:
        """Return the principal whose SSH key signed the commit, or "" if none is proven."""

    def facts(self, maker: str, blob: str, kind: type[T], make: Callable[[], T]) -> T:
        """Return `make()`, remembered by (maker, blob).

        `maker` is "check/version" plus whatever else the value depends on; `kind` is the
        frozen dataclass (or tuple type) that `make` returns, JSON both ways.
        """

    def say(self, line: str) -> None:
        """Tell whoever waits how far long work is; never part of a report."""
