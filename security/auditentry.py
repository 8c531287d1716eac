"""One entry of the audit log: a line of canonical JSON that holds the hash of the line before it.

docs/formats/audit.md is its specification.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from security.errors import Refused
from security.manifest import is_digest

LINE_LIMIT = 150_000  # bytes, more than the largest entry in which each character is escaped
TEXT_LIMIT, ARTIFACT_LIMIT, SIGNATURE_LIMIT = 500, 1_000, 8_000  # characters
MOST_DETAILS = 16
FIRST = "0" * 64  # what entry 0 has for the hash before it
BEGIN, CHECKPOINT, REPAIR = "begin", "checkpoint", "repair"
DONE, REFUSED = "done", "refused"
FIELDS = (
    "sequence",
    "time",
    "actor",
    "action",
    "artifact",
    "outcome",
    "details",
    "previous",
    "hash",
)
_DOMAIN = b"modelwarden audit v1\n"
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_TAIL = 75  # bytes of `,"hash":"<64 digits>"}`
# Bech32 has a lower-case spelling too. A tail of a key is as bad as all of it, but has no mark.
_SECRET = re.compile(r"(?i:AGE-SECRET-KEY-|AGE-PLUGIN-)|PRIVATE[ _-]KEY")
_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class EntryError(ValueError):
    """A line that is no entry; the message says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """An entry by its number and its hash (hex): it stands for all entries up to it."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which artifact, or was refused it. `time` is UTC, in microseconds."""

    sequence: int
    time: str
    actor: str
    action: str
    artifact: str
    outcome: str
    details: tuple[tuple[str, str], ...]
    previous: str
    hash: str = ""

    @property
    def head(self) -> Head:
        """This entry as the head of the log."""
        return Head(self.sequence, self.hash)


def stamp(now: datetime | None = None) -> str:
    """Return the time as entries have it."""
    at = (now or datetime.now(UTC)).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def safe(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return text as an entry may hold it: cut where too long. Raises Refused for a secret."""
    if _SECRET.search(text):
        raise Refused(
            "the audit log was given what looks like a private key",
            "log the name of a key, never the key",
        )
    text = text.encode("utf-8", "backslashreplace").decode()  # names of files need not be Unicode
    if len(text) <= limit:
        return text
    mark = f"... ({len(text)} characters)"
    return text[: limit - len(mark)] + mark


def is_word(text: str) -> bool:
    """Whether text can name an action or a detail."""
    return bool(_WORD.fullmatch(text))


def pairs(details: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return details as an entry has them. Raises Refused for a secret, too many, odd names."""
    if len(details) > MOST_DETAILS or not all(_WORD.fullmatch(name) for name in details):
        raise Refused(
            "details of an audit entry that are too many, or oddly named",
            f"give at most {MOST_DETAILS}, named with a-z, 0-9, _ and -",
        )
    return tuple(sorted((safe(name), safe(value)) for name, value in details.items()))


def digest(body: bytes) -> str:
    """Return the hash (hex) of an entry from its line without the hash."""
    return hashlib.sha256(_DOMAIN + body).hexdigest()


def written(entry: Entry) -> tuple[bytes, Head]:
    """Return the line of an entry, hash and newline included, and the head it makes."""
    values: dict[str, object] = {name: getattr(entry, name) for name in FIELDS[:-1]}
    values["details"] = dict(entry.details)
    body = _ENCODE(values).encode()
    found = digest(body)
    return body[:-1] + b',"hash":"' + found.encode() + b'"}\n', Head(entry.sequence, found)


def read(line: bytes) -> Entry:
    """Read a line without its newline; its own hash is checked. Raises EntryError."""
    try:
        found = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise EntryError("is not an entry in JSON") from error
    if not isinstance(found, dict) or tuple(found) != FIELDS:
        raise EntryError("does not have the fields of an entry")
    entry = _typed(found)
    if digest(line[:-_TAIL] + b"}") != entry.hash:
        raise EntryError("was changed: its hash is not that of what it says")
    if _ENCODE(found).encode() != line:
        raise EntryError("is not written as an entry has to be")
    return entry


def _typed(found: dict[str, object]) -> Entry:
    sequence, details = found["sequence"], found["details"]
    if type(sequence) is not int or not 0 <= sequence < 2**53:
        raise EntryError("has no number")
    action = _text(found, "action", 40)
    if not _WORD.fullmatch(action):
        raise EntryError("has no action")
    outcome, time = _text(found, "outcome", 10), _text(found, "time", 30)
    if outcome not in (DONE, REFUSED):
        raise EntryError("is neither done nor refused")
    if not _TIME.fullmatch(time) or not _exists(time):
        raise EntryError("has no time")
    previous, own = _text(found, "previous", 64), _text(found, "hash", 64)
    if not is_digest(previous) or not is_digest(own):
        raise EntryError("has no hash")
    return Entry(
        sequence,
        time,
        _text(found, "actor", TEXT_LIMIT),
        action,
        _text(found, "artifact", ARTIFACT_LIMIT),
        outcome,
        _details(details, SIGNATURE_LIMIT if action == CHECKPOINT else TEXT_LIMIT),
        previous,
        own,
    )


def _details(found: object, limit: int) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, dict) or len(found) > MOST_DETAILS or list(found) != sorted(found):
        raise EntryError("has no details, too many, or in another order")
    for name in found:
        if not _WORD.fullmatch(name):
            raise EntryError("has an odd name in its details")
    return tuple((name, _text(found, name, limit)) for name in found)


def _text(found: dict[str, object], name: str, limit: int) -> str:
    value = found[name]
    if not isinstance(value, str) or len(value) > limit:
        raise EntryError(f"has no text of at most {limit:,} characters for {name}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise EntryError(f"has a {name} that is no Unicode") from error
    return value


def _exists(time: str) -> bool:
    try:
        datetime.fromisoformat(time)
    except ValueError:
        return False
    return True
