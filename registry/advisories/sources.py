"""Where OSV documents come from: folders, zips, JSON lines, files; bounded, never unpacked."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from registry.advisories.errors import SourceError
from registry.advisories.osv import LIMIT

MAX_DOCUMENTS = 500_000
MAX_BYTES = 4_000_000_000  # of all documents of one import, as they are when unpacked
MAX_DEPTH = 12  # folders below one another
_ENDINGS = (".json", ".yaml", ".yml")
_LINES = (".jsonl", ".jsonl.gz")
_HINT = "give a folder, a .zip, .jsonl, .jsonl.gz, .json or .yaml file, or an https URL"


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its name in messages, its bytes, or why they were not read."""

    name: str
    data: bytes = b""
    yaml: bool = False
    trouble: str = ""


class _Budget:
    """Counts documents and bytes down; the import ends where either is spent."""

    def __init__(self) -> None:
        self.documents, self.bytes = MAX_DOCUMENTS, MAX_BYTES

    def spend(self, size: int) -> None:
        self.documents -= 1
        self.bytes -= size
        if self.documents < 0 or self.bytes < 0:
            raise SourceError(
                f"more than {MAX_DOCUMENTS:,} documents or {MAX_BYTES:,} bytes", "import less"
            )


def documents(place: Path) -> Iterator[Document]:
    """Yield every document below or in a place, in a fixed order. Raises SourceError, OSError."""
    budget = _Budget()
    name = place.name.lower()
    if place.is_dir():
        yield from _folder(place, budget)
    elif not place.is_file():
        raise SourceError(f"{place.name}: no such file or folder", _HINT)
    elif name.endswith(".zip"):
        yield from _zip(place, budget)
    elif name.endswith(_LINES):
        yield from _lines(place, budget)
    elif name.endswith(_ENDINGS):
        with place.open("rb") as file:
            yield _read(file, place.name, budget)
    else:
        raise SourceError(f"{place.name}: unknown kind of file", _HINT)


def _folder(folder: Path, budget: _Budget, depth: int = 0, inside: str = "") -> Iterator[Document]:
    if depth > MAX_DEPTH:
        raise SourceError(f"{inside}: more than {MAX_DEPTH} folders deep", "import less")
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = f"{inside}{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            if name.lower().endswith(_ENDINGS) or entry.is_dir():
                yield Document(name, trouble="a symbolic link")
        elif entry.is_dir(follow_symlinks=False):
            yield from _folder(Path(entry.path), budget, depth + 1, name + "/")
        elif name.lower().endswith(_ENDINGS):
            yield _file(Path(entry.path), name, budget)


def _file(path: Path, name: str, budget: _Budget) -> Document:
    # Opened once and looked at then: what was listed may have been replaced.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return Document(name, trouble="not a regular file")
        return _read(file, name, budget)


def _read(file: IO[bytes], name: str, budget: _Budget) -> Document:
    data = file.read(LIMIT + 1)
    budget.spend(len(data))
    if len(data) > LIMIT:
        return Document(name, trouble=f"more than {LIMIT:,} bytes")
    return Document(name, data, yaml=not name.lower().endswith(".json"))


def _zip(path: Path, budget: _Budget) -> Iterator[Document]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > 2 * MAX_DOCUMENTS:
                raise SourceError(f"{path.name}: too many entries", "import less")
            for member in members:
                if not member.is_dir() and member.filename.lower().endswith(_ENDINGS):
                    yield _member(archive, member, budget)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise SourceError(f"{path.name} is no zip that can be read", "fetch it again") from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> Document:
    if stat.S_ISLNK(member.external_attr >> 16):
        return Document(member.filename, trouble="a symbolic link")
    try:
        # The size that is stated is a claim; what is read is bounded all the same.
        with archive.open(member) as file:
            return _read(file, member.filename, budget)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        return Document(member.filename, trouble=f"cannot be unpacked ({type(error).__name__})")


def _lines(path: Path, budget: _Budget) -> Iterator[Document]:
    packed = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            number = 0
            while line := file.readline(LIMIT + 1):
                number += 1
                budget.spend(len(line))
                name = f"line {number}"
                if len(line) > LIMIT:
                    raise SourceError(f"{path.name}: {name} is too long", "import it without")
                if line.strip():
                    yield Document(name, line)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{path.name} is no gzip that can be read", "fetch it again") from error
