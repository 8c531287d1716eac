"""Building the database from OSV documents, in one step that is either done or not."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from registry.advisories import osv
from registry.advisories.database import APPLICATION, FORMAT, SCHEMA, About, digest, packed
from registry.advisories.errors import AdvisoryError, SourceError
from registry.advisories.merging import entries
from registry.advisories.sources import Document
from registry.advisories.values import Advisory

MANY = 500  # advisories: a copy of a whole database, which changes every day
STILL = 180  # days without any change after which such a copy is not of today
SHOWN = 20  # documents told that could not be read
EVERY = 1_000  # documents between two lines of progress
_LICENCES = {"PYSEC": "CC-BY-4.0", "GHSA": "CC-BY-4.0", "MAL": "Apache-2.0"}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What documents hold. `troubles` are (document, why) of the first that could not be read."""

    advisories: tuple[Advisory, ...]
    documents: int
    sha256: str
    skipped: tuple[tuple[str, int], ...] = ()
    unreadable: int = 0
    troubles: tuple[tuple[str, str], ...] = ()


def gather(
    documents: Iterable[Document], progress: Callable[[str], None] = lambda line: None
) -> Gathered:
    """Read documents, remembering what was left out and why. Raises SourceError, OSError."""
    found: list[Advisory] = []
    why: Counter[str] = Counter()
    troubles: list[tuple[str, str]] = []
    whole, count = hashlib.sha256(), 0
    for document in documents:
        count += 1
        whole.update(b"%d:" % len(document.data) + document.data)
        try:
            if document.trouble:
                raise AdvisoryError(document.trouble, "")
            advisory = osv.read(document.data, yaml=document.yaml)
        except AdvisoryError as error:
            why["unreadable"] += 1
            troubles += [(document.name, error.message)] if len(troubles) < SHOWN else []
            continue
        if advisory is None:
            why["withdrawn, or not of PyPI"] += 1
        else:
            found.append(advisory)
            if not any(a.spans or a.versions or a.vague for a in advisory.affected):
                why["kept, but it names no version"] += 1
        if count % EVERY == 0:
            progress(f"{count:,} documents read")
    unreadable = why.pop("unreadable", 0)
    left = tuple(sorted(why.items()))
    return Gathered(tuple(found), count, whole.hexdigest(), left, unreadable, tuple(troubles))


def about(
    gathered: Gathered, source: str, now: datetime, *, commit: str = "", dated: date | None = None
) -> About:
    """Return what the database will say of itself. `dated` is the day the data are known to be of.

    Without it they are of today, but for a copy of a whole database in which nothing changed
    for STILL days: that one is of its last change. A stamp never makes data younger.
    """
    today = now.date()
    newest = _newest(gathered.advisories, today)
    day = min(dated or today, today)
    if dated is None and newest and len(gathered.advisories) >= MANY:
        changed = date.fromisoformat(newest)
        day = changed if today - changed > timedelta(days=STILL) else day
    kinds = {a.id.split("-")[0] for a in gathered.advisories}
    licences = sorted({_LICENCES.get(kind, "unknown") for kind in kinds})
    stamp = now.replace(microsecond=0).isoformat()
    return About(source, commit, stamp, day.isoformat(), newest, gathered.sha256,
                 ", ".join(licences), len(gathered.advisories), gathered.unreadable,
                 gathered.skipped)  # fmt: skip


def _newest(advisories: Iterable[Advisory], today: date) -> str:
    # Some stamps lie in the future, and say nothing.
    limit = (today + timedelta(days=1)).isoformat()
    days = (a.modified[:10] for a in advisories)
    return max((day for day in days if _is_day(day) and day < limit), default="")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def build(target: Path, gathered: Gathered, said: About) -> int:
    """Write the database in place of what is at `target`; return how many packages it knows.

    Raises SourceError where there is no advisory at all, OSError.
    """
    if not gathered.advisories:
        hint = "give OSV documents of the ecosystem PyPI"
        raise SourceError("there is no advisory of a PyPI package", hint)
    rows = [
        (name, json.dumps([packed(e) for e in of], separators=(",", ":"), ensure_ascii=False))
        for name, of in entries(gathered.advisories).items()
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        os.close(handle)
        _write(Path(name), rows, said)
        with Path(name).open("rb") as file:
            os.fsync(file.fileno())
        Path(name).chmod(0o444)
        Path(name).replace(target)
        _sync(target.parent)
    finally:
        Path(name).unlink(missing_ok=True)
    return len(rows)


def _write(path: Path, rows: list[tuple[str, str]], said: About) -> None:
    import sqlite3

    words = {key: getattr(said, key) for key in
             ("source", "commit", "built_at", "date", "newest", "sha256", "licence")}  # fmt: skip
    counts = {"count": str(said.count), "unreadable": str(said.unreadable)}
    meta = words | counts | {"skipped": json.dumps(said.skipped)}
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("BEGIN")
        for sql in SCHEMA:
            connection.execute(sql)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.executemany("INSERT INTO package VALUES (?, ?)", rows)
        connection.execute("INSERT INTO meta VALUES ('digest', ?)", (digest(connection),))
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise OSError(f"the database cannot be written: {error}") from error
    finally:
        connection.close()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
