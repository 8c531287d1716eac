"""The register of provenance: one strict YAML file of what was taken from others.

`docs/provenance.md` says what each key means; `schema` is its JSON schema.
"""

from __future__ import annotations

from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from registry.borrowed.values import Entry, Use
from registry.documents import Document, DocumentError, KeyPath, load_yaml
from registry.licenses.expressions import LicenseError, normalise

PATH = ".github/modelwarden-provenance.yml"
LIMIT = 1_000_000  # bytes
MOST = 2_000  # entries
HEAD = """\
# What this project took from others; `modelwarden release notice --register` writes it anew.
"""

_Line = Annotated[str, Field(min_length=1, max_length=500)]
_Digest = r"^(?:sha256:[0-9a-f]{64}|dvc:[0-9a-f]{32}(?:\.dir)?|git:(?:[0-9a-f]{40}|[0-9a-f]{64}))$"
_Source = r"^[A-Za-z][A-Za-z0-9+.-]{0,20}:[^\s@]{1,1900}(?:@[^\s@/:]{1,100})?$"


class Borrowed(BaseModel):
    """One thing that was taken from others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    path: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="A file, a folder, what a .dvc file tracks, or a pattern below a folder."
    )
    source: str = Field(
        pattern=_Source, description="A URL, DOI, SWHID or purl of where it is from; no password."
    )
    license: _Line = Field(description="SPDX expression or hub id.")
    digest: str = Field(pattern=_Digest, description="Of what was borrowed, as it is here.")
    holders: tuple[_Line, ...] = Field(
        default=(), strict=False, description="Who holds the copyright."
    )
    revision: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Its version, tag or commit there."
    )
    modified: bool = Field(default=False, description="Whether it was changed here.")
    tie: Use = Field(default="vendors", description="What it is to this project.")
    text: Annotated[str, Field(max_length=500)] = Field(
        default="", description="The file here that holds the text of its licence."
    )
    note: Annotated[str, Field(max_length=500)] = Field(default="", description="For a reader.")

    @field_validator("path", "text")
    @classmethod
    def _below(cls, path: str) -> str:
        path = path.removesuffix("/")
        parts = path.split("/") if path else []
        if not path.isprintable() or "\\" in path or any(p in ("", ".", "..") for p in parts):
            raise ValueError("it is no path below the root")
        return path

    @field_validator("path")
    @classmethod
    def _rooted(cls, path: str) -> str:
        if "*" in path and "/" not in path.partition("*")[0]:
            raise ValueError("a pattern needs a folder before its first *")
        return path

    @field_validator("source")
    @classmethod
    def _no_password(cls, text: str) -> str:
        if "@" in text.partition("://")[2].partition("/")[0]:
            raise ValueError("it names a user or a password")
        return text

    @field_validator("source", "revision", "note", "license")
    @classmethod
    def _printable(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("it is not one printable line")
        return text

    @field_validator("holders")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            cls._printable(name)
        return names

    @field_validator("license")
    @classmethod
    def _expression(cls, text: str) -> str:
        try:
            return normalise(text)
        except LicenseError as error:
            raise ValueError(str(error)) from error


class Register(BaseModel):
    """What a project took from others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: Annotated[int, Field(ge=1, le=1)] = Field(description="Of this format.")
    borrowed: tuple[Borrowed, ...] = Field(default=(), max_length=MOST, strict=False)


def schema() -> dict[str, Any]:
    """Return the JSON schema of the register."""
    return Register.model_json_schema()


def read(data: bytes) -> tuple[Entry, ...]:
    """Return the entries of a register. Raises DocumentError with the line."""
    document = load_yaml(data, limit=LIMIT)
    if not isinstance(document.value, dict):
        raise DocumentError("it is no mapping with the keys version and borrowed", 1)
    try:
        found = Register.model_validate(document.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        unlike = first["type"] == "string_pattern_mismatch"
        message = "it is not in its form (docs/provenance.md)" if unlike else first["msg"]
        raise _bad(document, first["loc"], message) from error
    entries, seen = [], set[str]()
    for number, one in enumerate(found.borrowed):
        if one.path in seen:
            raise _bad(document, ("borrowed", number, "path"), "it is there twice")
        seen.add(one.path)
        line = document.line(("borrowed", number))
        entries.append(Entry(**one.model_dump(), line=line))
    return tuple(entries)


def _bad(document: Document, place: KeyPath, message: str) -> DocumentError:
    where = ".".join(str(part) for part in place if part not in ("borrowed", "function-after"))
    message = message.removeprefix("Value error, ").partition(" or instance of")[0]
    return DocumentError(f"{where or 'the file'}: {message}"[:300], document.line(place) or 1)


def write(entries: tuple[Entry, ...]) -> bytes:
    """Return the register of these entries, sorted by path; what is as by default is left out."""
    rows = []
    for one in sorted(entries, key=lambda e: e.path):
        row: dict[str, Any] = {"path": one.path, "source": one.source}
        row |= {"revision": one.revision} if one.revision else {}
        row |= {"license": one.license}
        row |= {"holders": list(one.holders)} if one.holders else {}
        row |= {"digest": one.digest}
        row |= {"modified": True} if one.modified else {}
        row |= {"tie": one.tie} if one.tie != "vendors" else {}
        row |= {"text": one.text} if one.text else {}
        row |= {"note": one.note} if one.note else {}
        rows.append(row)
    text = yaml.safe_dump(
        {"version": 1, "borrowed": rows}, sort_keys=False, allow_unicode=True, width=96
    )
    return (HEAD + text).encode()
