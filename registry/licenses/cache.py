"""The local file of package facts that `modelwarden watch licenses --update` fills."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from security import strictjson

LIMIT = 50_000_000  # bytes
FORMAT = 2
READABLE = (1, FORMAT)  # format 1 has no projects, and no upload times


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index said of one version. `fetched` is a date, YYYY-MM-DD.

    `uploaded` is when its youngest file was (UTC, RFC 3339), "" where the index does not say.
    """

    name: str
    version: str
    license: str
    reason: str
    fetched: str
    uploaded: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """Whether an index (by its URL) had a project when it was asked, and since when.

    `asked` is a date. `first` and `newest` are upload times of files, "" where none is stated.
    """

    name: str
    index: str
    exists: bool
    asked: str
    first: str = ""
    newest: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    entries: tuple[Entry, ...]
    projects: tuple[Project, ...] = ()


def default_path() -> Path:
    """Return the cache file in the user's cache folder."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("modelwarden")).absolute() / "licenses.json"
    except RuntimeError:  # a user without a home, as in some containers: nothing is kept
        return Path(os.devnull) / "licenses.json"


def load(path: Path) -> tuple[Entry, ...]:
    """Return the entries; a missing or damaged file has none, so its packages stay unknown."""
    return _read(path).entries


def projects(path: Path) -> tuple[Project, ...]:
    """Return what is kept of projects, of every index that was asked; () as in `load`."""
    return _read(path).projects


def _read(path: Path) -> _File:
    from pydantic import TypeAdapter, ValidationError

    try:
        if path.stat().st_size > LIMIT:
            return _File(FORMAT, ())
        raw = strictjson.loads(path.read_bytes(), limit=LIMIT)
        file = TypeAdapter(_File).validate_python(raw)
    except (OSError, strictjson.StrictJSONError, ValidationError):
        return _File(FORMAT, ())
    return file if file.format in READABLE else _File(FORMAT, ())


def merge(path: Path, entries: Iterable[Entry], projects: Iterable[Project] = ()) -> None:
    """Write these over those of the same name and version, or name and index, in one step."""
    old = _read(path)
    kept = {(e.name, e.version): e for e in (*old.entries, *entries)}
    met = {(p.name, p.index): p for p in (*old.projects, *projects)}
    file = _File(
        FORMAT,
        tuple(kept[key] for key in sorted(kept)),
        tuple(met[key] for key in sorted(met)),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(asdict(file), stream, indent=1)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
