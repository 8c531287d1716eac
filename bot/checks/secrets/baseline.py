"""The baseline: values of the base that are known and accepted, by mark and path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from bot.errors import CouldNotTell
from security.strictjson import StrictJSONError, loads

PATH = ".github/modelwarden-secrets.json"
LIMIT = 5_000_000  # bytes
VERSION = 1


def identifier(mark: str, path: str) -> str:
    """Return what stands for one value at one path, 32 hexadecimal digits."""
    return hashlib.sha256(f"{mark}\0{path}".encode()).hexdigest()[:32]


def read(data: bytes) -> tuple[str, ...]:
    """Return the identifiers of a baseline file. Raises CouldNotTell."""
    hint = "write it anew: modelwarden watch secrets --update"
    try:
        found = loads(data, limit=LIMIT)
    except StrictJSONError as error:
        raise CouldNotTell(f"{PATH} is not strict JSON", hint) from error
    values = found.get("values") if isinstance(found, dict) else None
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise CouldNotTell(f"{PATH} is not a baseline of version {VERSION}", hint)
    if not isinstance(values, list) or not all(map(_is_entry, values)):
        raise CouldNotTell(f"{PATH} holds what is not an entry", hint)
    return tuple(sorted(entry["id"] for entry in values))


def _is_entry(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"id", "path", "rule"}:
        return False
    named = value["id"]
    fits = isinstance(named, str) and len(named) == 32 and not set(named) - set("0123456789abcdef")
    return fits and isinstance(value["path"], str) and isinstance(value["rule"], str)


def written(found: Iterable[tuple[str, str, str]]) -> bytes:
    """Return the file that accepts values of (mark, path, rule)."""
    entries = {identifier(mark, path): (path, rule) for mark, path, rule in found}
    rows = sorted((path, rule, id_) for id_, (path, rule) in entries.items())
    values = [{"id": id_, "path": path, "rule": rule} for path, rule, id_ in rows]
    text = json.dumps({"version": VERSION, "values": values}, indent=1, ensure_ascii=True)
    return (text + "\n").encode()
