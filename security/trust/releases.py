"""The version of a release, stated and signed beside it, and the order of versions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from security import strictjson
from security.errors import Malformed
from security.manifest import is_digest

RELEASE = "urn:modelwarden:release:v1"
LIMIT = 1_000  # bytes
_VERSION = re.compile(
    r"v?([0-9]{1,18}(?:\.[0-9]{1,18}){0,5})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_HINT = "write a version such as 1.4.0 or 2.0.0-rc.1"

Rank = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


@dataclass(frozen=True, slots=True)
class Release:
    """`version` of what has this root digest; `previous` is the root before it, "" for none."""

    version: str
    previous: str = ""


def predicate(release: Release) -> bytes:
    """Return the statement's predicate as JSON. Raises Malformed."""
    rank(release.version)
    _checked(release.previous or None)
    return json.dumps(
        {"version": release.version, "previous": release.previous or None}, separators=(",", ":")
    ).encode()


def read(data: bytes) -> Release:
    """Read the predicate. Raises Malformed."""
    try:
        found = strictjson.loads(data, limit=LIMIT, depth=1)
    except strictjson.StrictJSONError as error:
        raise Malformed(f"the statement of the version: {error}", _HINT) from error
    if not isinstance(found, dict) or set(found) != {"version", "previous"}:
        raise Malformed("the statement of the version: not version and previous", _HINT)
    if not isinstance(found["version"], str):
        raise Malformed("the statement of the version: version is not text", _HINT)
    rank(found["version"])
    return Release(found["version"], _checked(found["previous"]))


def rank(version: str) -> Rank:
    """Return what versions are ordered by (SemVer 2.0.0, section 11). Raises Malformed.

    Looser than SemVer: one to six numbers, where absent ones are 0, a leading `v`, and zeros
    before a number. What follows `+` does not count.
    """
    found = _VERSION.fullmatch(version) if len(version) <= 100 else None
    if not found:
        raise Malformed(f"{version!r:.120} is not a version", _HINT)
    numbers = tuple(int(number) for number in found[1].split("."))
    while len(numbers) > 1 and not numbers[-1]:
        numbers = numbers[:-1]
    if found[2] is None:
        return numbers, 1, ()
    return numbers, 0, tuple(_part(part) for part in found[2].split("."))


def _part(part: str) -> tuple[int, int, str]:
    # Numbers come before words.
    return (0, int(part), "") if part.isdecimal() else (1, 0, part)


def _checked(previous: object) -> str:
    if previous is None:
        return ""
    if not is_digest(previous):
        raise Malformed("previous is not a root digest (64 hex digits)", "name it, or null")
    return previous
