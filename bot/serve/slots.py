"""A name for each process that runs jobs, the same again after it died.

The name is of a numbered file it holds locked; the system lets go of the lock when the process
ends in whatever way, and the next to start takes the first free number, with its unfinished jobs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import socket
from pathlib import Path
from typing import IO

from bot.serve.errors import StoreSetup

MOST = 1000


class Slot:
    """A held name. `close` lets go of it."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            machine = _machine(folder / "machine")
            self.name, self._file = _first_free(folder, machine)
        except OSError as error:
            raise StoreSetup(
                f"{folder}: {error.strerror}", "give the server a folder it may write to"
            ) from error

    def close(self) -> None:
        """Let go of the name."""
        self._file.close()


def _machine(path: Path) -> str:
    """Return a word for this folder on this host: a copied image must not share names."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read(64)
        if not text:
            text = secrets.token_hex(16)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    return hashlib.sha256(f"{text} {socket.gethostname()}".encode()).hexdigest()[:8]


def _first_free(folder: Path, machine: str) -> tuple[str, IO[str]]:
    for number in range(1, MOST):
        file = (folder / f"worker-{number}.lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return f"{machine}-{number}", file
    raise StoreSetup(f"{folder}: {MOST} processes run here", "end some of them")
