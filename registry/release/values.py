"""What a release binds, as values and as JSON: the same bytes for the same release."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from lab.record import Record
from registry.errors import ReleaseError
from registry.release.interface import Interface
from security import strictjson
from security.manifest import Entry

LIMIT = 50_000_000  # bytes of one document
Role = Literal["weights", "data"]


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where bytes are, as a commit names them: `source` is the tracked file that says so.

    `kind` is blob, lfs, dvc or dvc-folder; `digest` the git blob id, the LFS SHA-256 or DVC's md5;
    `size` is in bytes, -1 where nobody says.
    """

    path: str
    kind: str
    digest: str
    size: int
    source: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """Weights or data: what the commit points at and, where the bytes were read, their manifest.

    `root` is the root digest of `files` (SHA-256, hex), "" where only the pointers are bound.
    """

    path: str
    role: Role
    pointers: tuple[Pointed, ...]
    files: tuple[Entry, ...] = ()
    root: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files, as far as they are known."""
        known = self.files or self.pointers
        return sum(max(one.size, 0) for one in known)


@dataclass(frozen=True, slots=True)
class Lock:
    """A file that pins the environment, by its SHA-256, and how many packages it names."""

    path: str
    sha256: str
    packages: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of `dvc.lock`: its command and what it read and wrote, as (path, md5)."""

    name: str
    command: str
    deps: tuple[tuple[str, str], ...]
    outs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A `dvc.lock`, by path and SHA-256, with its stages."""

    path: str
    sha256: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Against:
    """What the comparison with an earlier release came to: pass is better or equivalent.

    `report` is the SHA-256 of the report's JSON, `summary` its line.
    """

    version: str
    root: str
    outcome: str
    summary: str
    report: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who made commits of a release. No address: a release is public for ever."""

    name: str
    login: str
    commits: int


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody other than whoever runs the release said yes: by `signature` or by `review`."""

    person: str
    how: Literal["signature", "review", "merge"]
    at: str


@dataclass(frozen=True, slots=True)
class Gated:
    """One check on all that is new since the last release; `waived` are its accepted findings."""

    check: str
    outcome: str
    summary: str
    waived: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Previous:
    """The release that this one follows, by lineage."""

    version: str
    root: str
    commit: str


@dataclass(frozen=True, slots=True)
class Licence:
    """What something is under, as SPDX or LicenseRef; `of` is code, weights, data or package."""

    of: str
    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Release:
    """Everything under one number.

    `artifact` is its name (acme/small), `version` without a leading v, `date` the commit's, in
    UTC; `outputs` are the other published files. Signatures come beside it, not into it.
    """

    artifact: str
    version: str
    commit: str
    tag: str
    date: str
    repository: str
    weights: Artifact
    data: tuple[Artifact, ...] = ()
    environment: tuple[Lock, ...] = ()
    pipeline: Pipeline | None = None
    fingerprint: str = ""  # of weights, configuration and tokenizer, as measurements name it
    measurements: tuple[Record, ...] = ()
    against: tuple[Against, ...] = ()
    licences: tuple[Licence, ...] = ()
    contributors: tuple[Person, ...] = ()
    approvals: tuple[Approval, ...] = ()
    checks: tuple[Gated, ...] = ()
    previous: Previous | None = None
    outputs: tuple[Entry, ...] = ()
    interface: Interface | None = None
    format: Literal[1] = 1

    @property
    def digest(self) -> str:
        """The SHA-256 of the document."""
        return hashlib.sha256(dump(self)).hexdigest()


@cache
def _adapter() -> TypeAdapter[Release]:
    return TypeAdapter(Release)  # built when it is needed: many import the values alone


def dump(release: Release) -> bytes:
    """Return the document: JSON with sorted keys and one newline at the end."""
    whole = _adapter().validate_python(asdict(release))  # 1 and 1.0 are one number, written one way
    text = json.dumps(asdict(whole), sort_keys=True, indent=1, ensure_ascii=False)
    return text.encode() + b"\n"


def read(data: bytes) -> Release:
    """Read a document: exactly what `dump` writes. Raises ReleaseError."""
    hint = "get it again from where it was published"
    try:
        strictjson.loads(data, limit=LIMIT)
        found = _adapter().validate_json(data, strict=True)
    except strictjson.StrictJSONError as error:
        raise ReleaseError(f"the document of a release: {error}", hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"the document of a release: {where}: {first['msg']}"[:300]
        raise ReleaseError(what, hint) from error
    if dump(found) != data:  # a field nobody knows, another order: somebody else wrote it
        raise ReleaseError("the document of a release: not as a release is written", hint)
    return found
