"""What the platform proves about the people of a change: accounts, never names in commits.

JSON both ways. A file of it may come from another process, so it is read as a stranger's:
bounded, strict, no duplicate keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bot.errors import UsageError
from bot.quoting import plain
from security import strictjson

LIMIT = 10_000_000  # bytes of one file
MAX_COMMITS = 20_000
MAX_SIGNATURES = 100_000
HINT = "write it as docs/contributors.md says, or leave the file out"

_STRICT = ConfigDict(strict=True, extra="forbid")
Number = Annotated[int, Field(ge=1, le=2**53)]
Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}(?:\[bot\])?$")]
ObjectId = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Repository = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}$")]
Time = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$"),
]


class PeopleError(UsageError):
    """A file of people or of signatures that is not as it has to be."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. Its `id` never changes hands; its `login` can be renamed and taken by another.

    `bot` is whether the platform calls it a bot, not whether its name looks like one.
    """

    __pydantic_config__ = _STRICT

    id: Number
    login: Login
    bot: bool = False


@dataclass(frozen=True, slots=True)
class CommitAccount:
    """Whose account a commit's addresses belong to; None where they belong to no account.

    `verified` is the platform's word that the signature is the committer account's own.
    Without it the accounts are only those who once registered the addresses.
    """

    __pydantic_config__ = _STRICT

    commit: ObjectId
    author: Account | None
    committer: Account | None
    verified: bool


@dataclass(frozen=True, slots=True)
class ClaSignature:
    """Account `account` agreed to the document of this SHA-256, in comment `comment`, at `at`."""

    __pydantic_config__ = _STRICT

    account: Number
    login: Login
    document: Digest
    comment: Number
    repository: Repository
    at: Time


@dataclass(frozen=True, slots=True)
class People:
    """Who opened a change, whose its commits are, and who has signed which CLA.

    `complete` is False where the platform did not tell everything; `queue` is True where the
    change is a group of a merge queue, whose own merges the platform made and nobody opened:
    its `author` may be any account.
    """

    __pydantic_config__ = _STRICT

    author: Account
    commits: Annotated[tuple[CommitAccount, ...], Field(max_length=MAX_COMMITS)] = ()
    signatures: Annotated[tuple[ClaSignature, ...], Field(max_length=MAX_SIGNATURES)] = ()
    complete: bool = True
    queue: bool = False


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dump(people: People) -> bytes:
    """Return the people as JSON."""
    return _adapter(People).dump_json(people)


def load(data: bytes, name: str = "people") -> People:
    """Read what `dump` wrote. Raises PeopleError, naming `name` and what is wrong."""
    people: People = _parse(data, People, name)
    return people


def load_file(path: Path) -> People:
    """Read a file of people. Raises PeopleError, OSError."""
    return load(bounded(path), plain(path))


def bounded(path: Path) -> bytes:
    """Return the bytes of a file, at most one more than LIMIT. Raises OSError."""
    with path.open("rb") as file:
        return file.read(LIMIT + 1)


def dump_signatures(signatures: tuple[ClaSignature, ...]) -> bytes:
    """Return signatures as a ledger: one JSON object a line."""
    return b"".join(_adapter(ClaSignature).dump_json(s) + b"\n" for s in signatures)


def load_signatures(data: bytes, name: str = "signatures") -> tuple[ClaSignature, ...]:
    """Read a ledger of signatures; blank lines are nothing. Raises PeopleError with the line."""
    if len(data) > LIMIT:
        raise PeopleError(f"{name}: {len(data):,} bytes, more than {LIMIT:,}", HINT)
    return tuple(_lines(data, name))


def _lines(data: bytes, name: str) -> Iterator[ClaSignature]:
    lines = data.split(b"\n")
    if len(lines) > MAX_SIGNATURES + 1:
        raise PeopleError(f"{name}: more than {MAX_SIGNATURES:,} lines", HINT)
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _parse(line, ClaSignature, f"{name}:{number}")


def _parse(data: bytes, kind: Any, name: str) -> Any:
    try:
        strictjson.loads(data, limit=LIMIT, depth=8)  # duplicate keys, NaN, depth
        return _adapter(kind).validate_json(data)
    except strictjson.StrictJSONError as error:
        raise PeopleError(f"{name}: {error}", HINT) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:200]
        said = f"{place}: {first['msg']}" if place else first["msg"]
        raise PeopleError(f"{name}: {said}"[:500], HINT) from error
