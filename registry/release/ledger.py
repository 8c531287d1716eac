"""The ledger of releases: a chained log, and what follows from it. Pure; git keeps it.

The log has the lines of an audit log (docs/formats/audit.md): each holds the hash of the one
before. What is released, what an alias points at, and since when, is a fold over its entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from security.auditentry import Entry, Head

if TYPE_CHECKING:
    from registry.release.values import Release

LOG = "log.jsonl"
CLAIM, ABANDON, RELEASE, WITHDRAW = "claim", "abandon", "release", "withdraw"
PROMOTE, ROLLBACK, APPROVE, WAIVE, RECORD = "promote", "rollback", "approve", "waive", "record"
ALIASES = ("champion", "challenger", "previous")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A version that somebody is releasing: `holder` names the run, `since` when it began."""

    artifact: str
    version: str
    commit: str
    holder: str
    actor: str
    since: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A version that is out. `root` is what was signed, `document` the SHA-256 of its Release."""

    artifact: str
    version: str
    commit: str
    root: str
    tag: str
    document: str
    at: str
    actor: str
    withdrawn: str = ""  # why


@dataclass(frozen=True, slots=True)
class Pointing:
    """What an alias points at since when ("" for nothing), by whom and why."""

    artifact: str
    alias: str
    version: str
    since: str
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """An entry to be written; time, number and hash are given by whoever writes it.

    `registry/release/details.py` says which details an action has.
    """

    actor: str
    action: str
    artifact: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag to be made with the entries: never moved, never removed."""

    name: str
    commit: str
    message: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the log says: versions in the order they came out, claims, aliases as they are now."""

    entries: tuple[Entry, ...]
    issued: tuple[Issued, ...]
    claims: tuple[Claimed, ...]
    aliases: tuple[Pointing, ...]

    @property
    def head(self) -> Head | None:
        """The last entry, None where there is none."""
        return self.entries[-1].head if self.entries else None


class Book(Protocol):
    """Where the ledger is kept: `bot/releasing/ledger/` keeps it in a branch of the repository."""

    def ledger(self, *, fresh: bool = True) -> Ledger:
        """Return the ledger; `fresh` asks the remote first, where there is one.

        Raises ReleaseError for a chain that does not hold, or a history that was rewritten;
        StoreFailed where the remote does not answer.
        """

    def file(self, path: str, limit: int) -> bytes | None:
        """Return a file that is kept beside the log, None where there is none."""

    def document(self, artifact: str, version: str) -> Release:
        """Return the document of an issued version, its digest proven. Raises ReleaseError."""

    def append(
        self,
        entries: Sequence[New],
        files: Mapping[str, bytes | None],
        *,
        expect: Head | None,
        tags: Sequence[Tag] = (),
    ) -> Ledger:
        """Write entries, files (None removes one) and tags at once, or nothing of it.

        A move of an alias brings its tag by itself (`registry.release.log.moves`). Raises Lost
        unless the log still ends at `expect`, or a tag of the name is elsewhere; Lost, Blocked or
        ReleaseError for an entry that may not follow; StoreFailed.
        """


def document_path(artifact: str, version: str) -> str:
    """Return where a release's document lies beside the log."""
    return f"releases/{artifact}/{version}.json"
