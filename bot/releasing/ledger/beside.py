"""Every file beside the ledger at once: one listing, one process that reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot import git
from bot.gitformat import parse_listing
from registry.errors import ReleaseError
from registry.release import values
from registry.release.ledger import Issued, document_path
from registry.release.values import Release

_LISTING = 200_000_000  # bytes of one listing
_HINT = "find the commit of the branch that changed it: modelwarden release doctor"


@dataclass(slots=True)
class Beside:
    """The files of one commit of the ledger; use `beside`."""

    _place: Path
    _blobs: Mapping[str, str]
    _sizes: git.Batch = field(init=False)
    _contents: git.Batch = field(init=False)

    def __post_init__(self) -> None:
        self._sizes = git.Batch(self._place, "--batch-check")
        self._contents = git.Batch(self._place, "--batch")

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file."""
        return tuple(sorted(self._blobs))

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a file, None where there is none. Raises ReleaseError."""
        blob = self._blobs.get(path)
        if blob is None:
            return None
        size = self._sizes.ask(blob, content=False)
        if size is None or size[1] > limit:
            what = "is not at hand" if size is None else f"has more than {limit:,} bytes"
            hint = "run: git fetch --refetch --no-filter" if size is None else _HINT
            raise ReleaseError(f"{path} beside the ledger {what}", hint)
        found = self._contents.ask(blob, content=True)
        if found is None:
            raise ReleaseError(f"{path} beside the ledger cannot be read", "run: git fsck")
        return found[2]

    def proven(self, issued: Issued) -> bytes:
        """Return the document of a version as bytes, its digest proven. Raises ReleaseError."""
        path = document_path(issued.artifact, issued.version)
        data = self.read(path, values.LIMIT)
        if data is None or hashlib.sha256(data).hexdigest() != issued.document:
            what = "is missing" if data is None else "is not what the ledger says"
            raise ReleaseError(f"{path} beside the ledger {what}", _HINT)
        return data

    def document(self, issued: Issued) -> Release:
        """Return the document of a version. Raises ReleaseError."""
        return values.read(self.proven(issued))

    def close(self) -> None:
        """End the processes."""
        self._sizes.close()
        self._contents.close()


def beside(place: Path, commit: str) -> Beside:
    """Open what is kept beside the ledger at a commit, "" for nothing. Raises ReleaseError."""
    return Beside(place, dict(_listed(place, commit)) if commit else {})


def _listed(place: Path, commit: str) -> Iterator[tuple[str, str]]:
    words = ("ls-tree", "-r", "-z", "--full-tree", commit)
    status, output, error = git.run(place, *words, limit=_LISTING)
    if status:
        raise ReleaseError(
            f"the files beside the ledger cannot be listed: {error}", "run: git fsck"
        )
    for entry in parse_listing(output):
        if entry.is_file:
            yield entry.path, entry.blob
