"""Records of data files of strangers: JSONL, JSON, CSV, text and parquet, plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from lab.errors import DataError, TooMuchData

FIX = "write the file again, whole and in UTF-8"
KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "prose",
    ".md": "prose",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its 1-based line, and its texts in order.

    `trouble` says why it cannot be read. `prose`: a piece of a text of many lines.
    """

    line: int
    texts: tuple[str, ...] = ()
    trouble: str = ""
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file: unpacked bytes, records, and bytes of one record."""

    size: int = 200_000_000
    records: int = 1_000_000
    line: int = 10_000_000


def kind_of(path: str) -> str:
    """Return how a file of this name is read, "" where it is no data file."""
    name = path.lower().removesuffix(".gz")
    return next((kind for ending, kind in KINDS.items() if name.endswith(ending)), "")


def read(
    path: str, stream: BinaryIO, fields: tuple[str, ...] = (), limits: Limits = Limits()
) -> Iterator[Record]:
    """Yield the records of a file. `fields` are the keys or columns that hold texts; () for all.

    Raises DataError, TooMuchData or NoReader; what was yielded before stands.
    """
    from lab.data import prose, structured, tables

    kind = kind_of(path)
    readers = {
        "jsonl": structured.lines,
        "json": structured.document,
        "csv": tables.commas,
        "tsv": tables.tabs,
        "prose": prose.pieces,
        "parquet": tables.parquet,
    }
    if kind not in readers:
        raise DataError("no kind of data file that is known", "name it .jsonl, .csv or .txt")
    with _unpacked(path, stream, limits) as source:
        for count, record in enumerate(readers[kind](source, fields, limits), 1):
            if count > limits.records:
                raise TooMuchData(f"more than {limits.records:,} records", "split the file")
            yield record


@contextmanager
def _unpacked(path: str, stream: BinaryIO, limits: Limits) -> Iterator[Bounded]:
    try:
        if path.lower().endswith(".gz"):
            with gzip.GzipFile(fileobj=stream) as packed:
                yield Bounded(packed, limits.size)
        else:
            yield Bounded(stream, limits.size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"not whole gzip: {error}", FIX) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", FIX) from error


class Bounded:
    """Reads a stream up to a number of bytes; raises TooMuchData beyond."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def read(self, count: int = 1 << 20) -> bytes:
        """Return at most `count` bytes, b"" at the end."""
        return self._counted(self._stream.read(count))

    def readline(self, count: int) -> bytes:
        """Return a line with its end, at most `count` bytes of it."""
        return self._counted(self._stream.readline(count))

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise TooMuchData(f"more than {self._limit:,} bytes of data", "split the file")
        return data

    def whole(self) -> bytes:
        """Return everything that is left."""
        return b"".join(iter(self.read, b""))
