"""Evidence kept between runs, keyed by what it was made of. Losing it costs time, nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from pathlib import Path

MAX_ROWS = 200_000
MAX_VALUE = 4_000_000  # bytes; larger facts are made again


def default_path() -> Path:
    """Return the cache file in the user's cache folder."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("modelwarden")) / "evidence.db"


class Cache:
    """A key-value file. Every value carries its digest; a damaged one reads as absent.

    With path None nothing is kept. Safe to share between threads and processes.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database = _open(path) if path is not None else None

    def get(self, key: str) -> bytes | None:
        """Return the value kept under `key`, or None."""
        if self._database is None:
            return None
        with self._lock:
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
        row = (_digest(key.encode()), value, _digest(value))
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Write what is pending, drop the oldest rows beyond the bound, close the file."""
        if self._database is None:
            return
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._database.execute(
                "DELETE FROM facts WHERE rowid <= (SELECT max(rowid) FROM facts) - ?", (MAX_ROWS,)
            )
            self._database.commit()
        with self._lock:
            self._database.close()
            self._database = None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _open(path: Path) -> sqlite3.Connection | None:
    for attempt in (1, 2):
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
            if attempt == 2:
                return None
            path.unlink(missing_ok=True)
        except OSError:
            return None
    return None
