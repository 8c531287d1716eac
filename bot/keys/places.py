"""Where a model, its signature and what is said of it lie, and whether they fit each other."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UsageError
from bot.progress import Bar
from security import hashing
from security.errors import Refused, WriteFailed
from security.manifest import Manifest
from security.paths import attestations_of, signature_of
from security.sign import bundle as bundles
from security.sign import reading, statement

PATIENCE = 10.0  # seconds to wait for another process, which needs milliseconds


@dataclass(frozen=True, slots=True)
class Places:
    """A model, the bundle that signs it, and the file of what is said of it."""

    model: Path
    bundle: Path
    said: Path
    artifact: str = ""

    @classmethod
    def of(cls, model: Path, signature: Path | None, artifact: str | None = None) -> Places:
        """Return the usual places. Raises UsageError where there is no model."""
        if not model.exists():
            raise UsageError(f"{model}: no such file or folder", "name the folder of a model")
        bundle = signature or signature_of(model)
        return cls(model, bundle, attestations_of(bundle), artifact or "")

    @property
    def own(self) -> tuple[str, ...]:
        """The two files as paths in the model's folder, where they lie in it."""
        top = os.path.realpath(self.model)  # unlike resolve, it leaves a loop of links to others
        found = (Path(os.path.realpath(p.parent), p.name) for p in (self.bundle, self.said))
        return tuple(p.relative_to(top).as_posix() for p in found if p.is_relative_to(top))

    @property
    def name(self) -> str:
        """What the statement calls the model: its folder's name, if it is given no other."""
        return self.artifact or self.model.resolve().name

    def read(self, data: bytes) -> statement.Contents:
        """Return what a bundle says that the model holds; nothing is proven by that."""
        with reading.naming(self.bundle):
            return statement.read(bundles.read(data).envelope.payload)

    def compare(self, contents: statement.Contents, jobs: int = 0) -> Manifest:
        """Return the manifest of the model, if it holds exactly that. Raises Tampered."""
        made = contents.serialization
        with Bar(f"Reading {self.name}") as bar:
            return hashing.compare(
                self.model, contents.manifest, ignored=self.own, algorithm=made.algorithm,
                shard=made.shard, jobs=jobs, progress=bar,
            )  # fmt: skip


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes from adding to what lies in a folder, so that no addition is lost.

    The folder itself is locked, where the file system can: no lock file is left in a model.
    Raises Refused where another does not end, WriteFailed.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        hint = "check that it is there, and that you may write to it"
        raise WriteFailed(f"{folder}: {error.strerror}", hint) from error
    try:
        until = time.monotonic() + PATIENCE
        while not _locked(fd):
            if time.monotonic() > until:
                raise Refused(f"{folder} is in use by another process", "wait for it to end")
            time.sleep(0.01)
        yield
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no locks here
    return True
