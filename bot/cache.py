"""Evidence kept between runs, keyed by what it was made of. Losing it costs time, nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from pathlib import Path

MAX_ROWS = 200_000
MAX_VALUE = 4_000_000  # bytes; larger facts are made again
MAX_PENDING = 16_000_000  # bytes held before they are written


def default_path() -> Path | None:
    """Return the cache file in the user's cache folder; None where the user has no home."""
    import platformdirs

    try:
        folder = Path(platformdirs.user_cache_dir("modelwarden"))
    except RuntimeError:
        return None
    return folder / "evidence.db" if folder.is_absolute() else None


class Cache:
    """A key-value file. Every value carries its digest; a damaged one reads as absent.

    With path None nothing is kept. Safe to share between threads and processes.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database = _open(path) if path is not None else None
        self._pending: dict[str, bytes] = {}
        self._held = 0

    def get(self, key: str) -> bytes | None:
        """Return the value kept under `key`, or None."""
        if self._database is None:
            return None
        with self._lock:
            if key in self._pending:
                return self._pending[key]
            try:
                row = self._database.execute(
                    "SELECT value, digest FROM facts WHERE key = ?", (_digest(key.encode()),)
                ).fetchone()
            except sqlite3.Error:
                return None
        if row is None or not isinstance(row[0], bytes) or _digest(row[0]) != row[1]:
            return None
        return row[0]

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`; a full disk or a locked file only means that it is not kept."""
        if self._database is None or len(value) > MAX_VALUE:
            return
        with self._lock:
            self._pending[key] = value
            self._held += len(value)
            if self._held > MAX_PENDING:
                self._write(self._database)

    def close(self) -> None:
        """Write what is pending, drop the oldest rows beyond the bound, close the file."""
        with self._lock:
            if self._database is not None:
                self._write(self._database)
                self._database.close()
                self._database = None

    def _write(self, database: sqlite3.Connection) -> None:
        # In one short transaction: another run on the same file waits for none of our checks.
        rows = [(_digest(k.encode()), v, _digest(v)) for k, v in self._pending.items()]
        self._pending, self._held = {}, 0
        with contextlib.suppress(sqlite3.Error), database:
            database.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", rows)
            database.execute(
                "DELETE FROM facts WHERE rowid <= (SELECT max(rowid) FROM facts) - ?", (MAX_ROWS,)
            )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _open(path: Path) -> sqlite3.Connection | None:
    for _ in (1, 2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = sqlite3.connect(path, timeout=2, check_same_thread=False)
            database.execute("PRAGMA synchronous = OFF")
            database.execute(
                "CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value BLOB, digest TEXT)"
            )
            return database
        except sqlite3.OperationalError:  # locked, read-only or full: work without it
            return None
        except sqlite3.DatabaseError:  # not a database: start a new one
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError:
            return None
    return None


def quotes_secret(data: bytes) -> bool:
    """Whether a fact quotes a credential: it stays in git then, and is never written elsewhere."""
    from security.secrets import BY_ID, Kind, scan

    return any(BY_ID[hit.rule].kind is Kind.SECRET for hit in scan(data).hits)
