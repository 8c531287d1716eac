"""The local file of licence facts that `modelwarden watch licenses --update` fills."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from security import strictjson

LIMIT = 50_000_000  # bytes
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index said of one version. `fetched` is a date, YYYY-MM-DD."""

    name: str
    version: str
    license: str
    reason: str
    fetched: str


@dataclass(frozen=True, slots=True)
class _File:
    format: int
    entries: tuple[Entry, ...]


def default_path() -> Path:
    """Return the cache file in the user's cache folder."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("modelwarden")).absolute() / "licenses.json"
    except RuntimeError:  # a user without a home, as in some containers: nothing is kept
        return Path(os.devnull) / "licenses.json"


def load(path: Path) -> tuple[Entry, ...]:
    """Return the entries; a missing or damaged file has none, so its packages stay unknown."""
    try:
        if path.stat().st_size > LIMIT:
            return ()
        raw = strictjson.loads(path.read_bytes(), limit=LIMIT)
        file = TypeAdapter(_File).validate_python(raw)
    except (OSError, strictjson.StrictJSONError, ValidationError):
        return ()
    return file.entries if file.format == FORMAT else ()


def merge(path: Path, entries: Iterable[Entry]) -> None:
    """Write these entries over those of the same name and version, in one step."""
    merged = {(e.name, e.version): e for e in (*load(path), *entries)}
    file = _File(FORMAT, tuple(merged[key] for key in sorted(merged)))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(asdict(file), stream, indent=1)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
