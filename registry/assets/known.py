"""Licences of well-known models, from the reviewed table known.yml."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from registry.documents import load_yaml

TABLE = Path(__file__).with_name("known.yml")
_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Known:
    """The licence of the models a pattern names, and why we say so."""

    name: str
    license: str
    why: str


def known(name: str) -> Known | None:
    """Return what the table says of a model, None where it has nothing. Case counts for nothing."""
    lower = name.lower()
    return next((k for k in table()[1] if fnmatchcase(lower, k.name.lower())), None)


@cache
def table() -> tuple[str, tuple[Known, ...]]:
    """Return the date of review and the patterns in order."""
    value = load_yaml(TABLE.read_bytes(), limit=_LIMIT).value
    rows = tuple(Known(row["name"], row["license"], row["why"]) for row in value["models"])
    return str(value["reviewed"]), rows
