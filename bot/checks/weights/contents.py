"""The bytes of files at a commit, wherever they lie: read by offset, digests proven first."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.world import TEXT_LIMIT, World
from registry import objects
from registry.errors import MissingWeights
from security.scan.source import Source, of_bytes, of_descriptor

BLOB_LIMIT = 20_000_000_000  # bytes of one git blob that is written to a temporary file


@dataclass(frozen=True, slots=True)
class Held:
    """One file of a commit. `digest` names its bytes: that of a git blob, or of an LFS or DVC
    object, which lies at `object` where it is at hand."""

    path: str
    digest: str
    place: str = "git"
    object: Path | None = None


class Opener:
    """Opens files for one block; leaving it closes them and removes every temporary copy."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def source(self, held: Held) -> Source:
        """Open a file. Raises Missing, TooLarge, RegistryError."""
        if held.place == "git":
            return self._of_blob(held.path, held.digest)
        if held.object is None:
            raise MissingWeights(
                f"{held.path}: its {held.place.upper()} object is not at hand", "fetch it first"
            )
        file = self._stack.enter_context(objects.opened(held.object, held.digest))
        return of_descriptor(held.path, file)

    def _of_blob(self, path: str, blob: str) -> Source:
        if self._world.size(blob) <= TEXT_LIMIT:
            return of_bytes(path, self._world.read(blob))
        if self._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="modelwarden-")
            self._folder = Path(self._stack.enter_context(folder))
        target = self._folder / blob
        if not target.exists():
            self._world.export(blob, target, BLOB_LIMIT)
        opened = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        self._stack.callback(os.close, opened)
        return of_descriptor(path, opened)
