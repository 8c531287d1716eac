"""The database: one dated SQLite file, opened read-only, refused unless it is whole and ours."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.advisories.errors import UPDATE, DatabaseError, NoDatabase
from registry.advisories.values import WEIGHT, Entry, Span

if TYPE_CHECKING:
    import sqlite3

VARIABLE = "MODELWARDEN_ADVISORIES"
FORMAT = 1
APPLICATION = 0x4D57_4156  # "MWAV", in the header of the file
MAX_SIZE = 2_000_000_000  # bytes of the file
SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE package (name TEXT PRIMARY KEY, entries TEXT NOT NULL) WITHOUT ROWID",
)
_AGAIN = f"build it again: {UPDATE}"


@dataclass(frozen=True, slots=True)
class About:
    """Where a database is from. `date` (YYYY-MM-DD) is that of the import or of the commit.

    `newest` is the day of the latest change of an advisory that does not lie in the future.
    `sha256` is that of the documents, `count` that of the advisories kept, `skipped` holds
    (why, how many), `unreadable` is how many documents were no advisories.
    """

    source: str
    commit: str
    built_at: str
    date: str
    newest: str
    sha256: str
    licence: str
    count: int
    unreadable: int = 0
    skipped: tuple[tuple[str, int], ...] = ()

    def age(self, today: datetime.date) -> int:
        """Return its age in days; negative where it is from the future."""
        return (today - datetime.date.fromisoformat(self.date)).days


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file that MODELWARDEN_ADVISORIES names, or the one in the user's cache folder."""
    import platformdirs

    if named := environment.get(VARIABLE):
        return Path(named).absolute()
    try:
        return Path(platformdirs.user_cache_dir("modelwarden")).absolute() / "advisories.db"
    except RuntimeError:  # a user without a home, as in some containers
        return Path(os.devnull) / "advisories.db"


class Database:
    """An open database; `about` says where it is from. Use it in one thread, and close it."""

    def __init__(self, path: Path) -> None:
        """Open and verify. Raises NoDatabase, or DatabaseError where it is not whole."""
        self._connection = _open(path)
        self._known: dict[str, tuple[Entry, ...]] = {}
        try:
            self.about = _verified(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def entries(self, name: str) -> tuple[Entry, ...]:
        """Return what is known of a package, by canonical name. Raises DatabaseError."""
        import sqlite3

        if name not in self._known:
            try:
                row = self._connection.execute(
                    "SELECT entries FROM package WHERE name = ?", (name,)
                ).fetchone()
                self._known[name] = _entries(json.loads(row[0])) if row else ()
            except (sqlite3.Error, ValueError, TypeError, IndexError) as error:
                raise DatabaseError("the database of advisories is damaged", _AGAIN) from error
        return self._known[name]


def digest(connection: sqlite3.Connection) -> str:
    """Return the SHA-256 of all that the database says, its own digest left out."""
    found = hashlib.sha256()
    for table, columns in (("meta", "key, value"), ("package", "name, entries")):
        for name, text in connection.execute(
            f"SELECT {columns} FROM {table} ORDER BY 1"  # noqa: S608 - words of ours
        ):
            if (table, name) != ("meta", "digest"):
                found.update(b"%d:%d:" % (len(name), len(text)))
                found.update(f"{name}{text}".encode())
    return found.hexdigest()


def packed(entry: Entry) -> list[Any]:
    """Return an entry as it is kept."""
    spans = [[s.introduced, s.fixed, s.last] for s in entry.spans]
    return [entry.ids, entry.severity, entry.malware, entry.summary, spans, entry.versions,
            entry.vague]  # fmt: skip


def _entries(rows: Any) -> tuple[Entry, ...]:
    if not isinstance(rows, list):
        raise TypeError(rows)
    return tuple(map(_entry, rows))


def _entry(row: Any) -> Entry:
    ids, severity, malware, summary, spans, versions, vague = row
    if severity not in WEIGHT:
        raise ValueError(severity)
    held = tuple(Span(str(i), str(f), str(last)) for i, f, last in spans)
    return Entry(ids[0], tuple(ids), severity, malware is True, str(summary), held,
                 tuple(map(str, versions)), str(vague))  # fmt: skip


def _open(path: Path) -> sqlite3.Connection:
    import sqlite3

    try:
        there = path.is_file() and path.stat().st_size
    except OSError:
        there = False
    if there is False:
        raise NoDatabase(f"there is no database of advisories at {path}", f"run: {UPDATE}")
    if not 0 < there <= MAX_SIZE:
        raise DatabaseError("the database of advisories is empty or far too large", _AGAIN)
    try:
        # `immutable`: nothing is locked or written beside it, and a journal left there is not run.
        return sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise DatabaseError("the database of advisories cannot be opened", _AGAIN) from error


def _verified(connection: sqlite3.Connection) -> About:
    import sqlite3

    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not ours or version != FORMAT:
            raise DatabaseError("the file is no database of advisories of this version", _AGAIN)
        objects = connection.execute("SELECT type, sql FROM sqlite_master ORDER BY name LIMIT 9")
        if objects.fetchall() != [("table", sql) for sql in SCHEMA]:
            raise DatabaseError("the database of advisories holds what is not ours", _AGAIN)
        meta = dict(connection.execute("SELECT key, value FROM meta LIMIT 99"))
        if meta.pop("digest", "") != digest(connection):
            raise DatabaseError("the database of advisories is damaged", _AGAIN)
        about = _about(meta)
        datetime.date.fromisoformat(about.date)
    except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
        raise DatabaseError("the database of advisories is damaged", _AGAIN) from error
    return about


def _about(meta: Mapping[str, str]) -> About:
    words = {key: str(meta[key]) for key in
             ("source", "commit", "built_at", "date", "newest", "sha256", "licence")}  # fmt: skip
    skipped = tuple((str(why), int(n)) for why, n in json.loads(meta["skipped"]))
    return About(**words, count=int(meta["count"]), unreadable=int(meta["unreadable"]),
                 skipped=skipped)  # fmt: skip
