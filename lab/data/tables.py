"""Tables: CSV, TSV and parquet. A record is a row; the first row of CSV names its columns."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator
from typing import Any

from lab.data.records import FIX, Bounded, Limits, Record
from lab.data.structured import texts_of
from lab.errors import DataError, NoReader, TooMuchData

ROWS = 256  # of parquet at once
_CELL = 10_000_000  # characters; beyond it csv stops, as at a quote that nobody closes


def commas(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield the rows of a CSV file."""
    return _rows(source, fields, ",")


def tabs(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield the rows of a TSV file."""
    return _rows(source, fields, "\t")


def _rows(source: Bounded, fields: tuple[str, ...], separator: str) -> Iterator[Record]:
    try:
        text = source.whole().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"not UTF-8 at byte {error.start}", FIX, line=line) from error
    csv.field_size_limit(_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[int] | None = None
    line = 1
    try:
        for row in reader:
            if columns is None:
                columns = [place for place, name in enumerate(row) if name in fields]
                texts = tuple(row) if not columns else ()
            else:
                texts = tuple(row[c] for c in columns if c < len(row)) if columns else tuple(row)
            if texts:
                yield Record(line, texts)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"not CSV: {error}", FIX, line=line) from error


def parquet(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield the rows of a parquet file; a record's line is its row."""
    try:
        arrow: Any = importlib.import_module("pyarrow")
        library: Any = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise NoReader("parquet needs pyarrow", "install pyarrow beside Modelwarden") from error
    try:
        file = library.ParquetFile(io.BytesIO(source.whole()))
        groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > limits.size:
            raise TooMuchData(f"more than {limits.size:,} bytes unpacked", "split the file")
        if file.metadata.num_rows > limits.records:
            raise TooMuchData(f"more than {limits.records:,} rows", "split the file")
        row, size = 0, 0
        for batch in file.iter_batches(batch_size=ROWS):
            size += batch.nbytes
            if size > limits.size:  # what the metadata says may be a lie
                raise TooMuchData(f"more than {limits.size:,} bytes unpacked", "split the file")
            for value in batch.to_pylist():
                row += 1
                texts, deep = texts_of(value, fields)
                yield Record(row, texts, deep)
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise DataError("not a readable parquet file", FIX) from error
