"""Curated provenance of data sets: imported once into a dated local file, read from there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from registry.assets.curatednames import expression, is_generator
from registry.assets.names import hub
from registry.documents import DocumentError, load_json
from registry.errors import BadProvenance

FORMAT = 1
LIMIT = 50_000_000  # bytes of the local file, and of all that is imported
MAX_FILES = 2_000
MAX_LIST = 50  # licences and generators of one data set
_HINT = "run: modelwarden watch provenance --update FOLDER"


@dataclass(frozen=True, slots=True)
class Curated:
    """What people found out about a data set of the hub.

    `licenses` are expressions, `unclear` names that say nothing; `tag` is what the hub said when
    it was looked at, "" for nothing. `generators` are the models that wrote it, as named there.
    """

    name: str
    licenses: tuple[str, ...]
    unclear: tuple[str, ...] = ()
    tag: str = ""
    generators: tuple[str, ...] = ()
    collection: str = ""

    @property
    def license(self) -> str:
        """One expression of all that applies, "" where any of it is unclear or there is none."""
        if self.unclear or not self.licenses:
            return ""
        return " AND ".join(f"({e})" if " " in e else e for e in self.licenses)

    @property
    def differs(self) -> bool:
        """Whether the hub's tag says another licence than was found, or none where one was."""
        return bool(self.licenses) and (self.tag,) != self.licenses


@dataclass(frozen=True, slots=True)
class Book:
    """Curated facts by name in lower case, the day they were imported, and what from."""

    imported: str = ""
    source: str = ""
    entries: Mapping[str, tuple[Curated, ...]] | None = None

    def of(self, name: str) -> tuple[Curated, ...]:
        """Return what is known of a data set: its parts may have licences of their own."""
        return (self.entries or {}).get(name.lower(), ())


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import read: entries, and files (name, why) it could not read."""

    entries: tuple[Curated, ...]
    without_name: int
    unread: tuple[tuple[str, str], ...]


def default_path() -> Path:
    """Return the local file in the user's cache folder."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("modelwarden")).absolute() / "provenance.json"
    except RuntimeError:  # a user without a home: nothing is kept
        return Path(os.devnull) / "provenance.json"


def summaries(folder: Path) -> Imported:
    """Read the data_summaries of a checkout of the collection. Raises BadProvenance."""
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix == ".json" and p.is_file())
    except OSError as error:
        raise BadProvenance(
            f"{folder}: {error.strerror}", "name the folder data_summaries"
        ) from error
    if not files or len(files) > MAX_FILES:
        raise BadProvenance(f"{folder} holds {len(files):,} .json files", "name data_summaries")
    left, unread, unnamed = LIMIT, list[tuple[str, str]](), 0
    found: dict[tuple[object, ...], Curated] = {}
    for path in files:
        try:
            left -= path.stat().st_size
            if left < 0:
                raise BadProvenance(f"{folder}: more than {LIMIT:,} bytes", "import a part of it")
            rows = tuple(_rows(path.read_bytes()))
        except (OSError, DocumentError) as error:
            unread.append((path.name, str(error)))
            continue
        for row in rows:
            one = _curated(row)
            unnamed += one is None
            if one is not None:
                found.setdefault((one.name.lower(), one.licenses, one.unclear, one.tag), one)
    return Imported(tuple(found.values()), unnamed, tuple(unread))


def save(path: Path, entries: Iterable[Curated], source: str) -> str:
    """Write the local file in one step, readable only; return its date."""
    today = datetime.now(UTC).date().isoformat()
    ordered = sorted(entries, key=lambda one: (one.name.lower(), one.licenses, one.unclear))
    value = {"format": FORMAT, "imported": today, "source": source,
             "entries": [asdict(one) for one in ordered]}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=1, sort_keys=True)
        Path(name).chmod(0o444)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    load.cache_clear()
    return today


@lru_cache(maxsize=2)
def load(path: Path) -> Book:
    """Return the local file, an empty book where there is none. Raises BadProvenance."""
    try:
        if path.stat().st_size > LIMIT:
            raise BadProvenance(f"{path} is larger than {LIMIT:,} bytes", _HINT)
        value = load_json(path.read_bytes(), limit=LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return Book()
    except (OSError, DocumentError) as error:
        raise BadProvenance(f"{path} cannot be read: {error}", _HINT) from error
    return _book(path, value)


def _book(path: Path, value: Any) -> Book:
    from pydantic import TypeAdapter, ValidationError

    try:
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise BadProvenance(f"{path} is of another format", _HINT)
        rows = TypeAdapter(tuple[Curated, ...]).validate_python(value.get("entries"))
    except ValidationError as error:
        raise BadProvenance(f"{path} is damaged", _HINT) from error
    entries: dict[str, tuple[Curated, ...]] = {}
    for row in rows:
        entries[row.name.lower()] = (*entries.get(row.name.lower(), ()), row)
    return Book(str(value.get("imported", ""))[:10], str(value.get("source", ""))[:200], entries)


def _rows(data: bytes) -> Iterator[dict[str, Any]]:
    value = load_json(data, limit=LIMIT)
    if not isinstance(value, dict):
        raise DocumentError("it is no table of data sets")
    yield from (row for row in value.values() if isinstance(row, dict))


def _curated(row: dict[str, Any]) -> Curated | None:
    inferred = row.get("Inferred Metadata")
    said = inferred if isinstance(inferred, dict) else {}
    name = hub(_text(said.get("HF Dataset"))) or hub(_text(row.get("Hugging Face URL")))
    if not name or name == "datasets":
        return None
    listed = row.get("Licenses")
    items = [i for i in listed if isinstance(i, dict)] if isinstance(listed, list) else []
    named = [_text(item.get("License")) for item in items[:MAX_LIST]]
    generated = row.get("Model Generated")
    models = generated if isinstance(generated, list) else []
    return Curated(
        name,
        tuple(dict.fromkeys(e for n in named if (e := expression(n)))),
        tuple(dict.fromkeys(n or "Unspecified" for n in named if not expression(n))),
        expression(_text(said.get("HF Yaml License"))),
        tuple(dict.fromkeys(_text(m) for m in models[:MAX_LIST] if is_generator(_text(m)))),
        _text(row.get("Collection")),
    )


def _text(value: Any) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""
