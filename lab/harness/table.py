"""CSV as pandas reads it by default: one type for each column, and its words for "missing"."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from lab.errors import SuiteError
from lab.items.suite import ITEM_LIMIT

_MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
        *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
_TRUE, _FALSE = frozenset({"True", "TRUE", "true"}), frozenset({"False", "FALSE", "false"})
_INT = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_FLOAT = re.compile(
    r"\s*[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,4})?\s*"
)
_HINT = "correct the data file"


def rows(data: bytes, separator: str, path: str) -> list[dict[str, Any]]:
    """Return the rows of a table with a header. Raises SuiteError."""
    if len(separator) != 1:
        raise SuiteError(f"separator {separator!r:.40}", "use one character", file=path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SuiteError(f"not UTF-8 at byte {error.start}", _HINT, file=path) from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header, *found = [row for row in reader if row]
    except csv.Error as error:
        raise SuiteError(f"not CSV: {error}", _HINT, file=path, line=reader.line_num) from error
    except ValueError as error:
        raise SuiteError("no header", _HINT, file=path) from error
    if len(set(header)) < len(header):
        raise SuiteError("two columns have one name", _HINT, file=path, line=1)
    if len(found) > ITEM_LIMIT:
        raise SuiteError(f"more than {ITEM_LIMIT:,} rows", "use a smaller file", file=path)
    for row in found:
        if len(row) > len(header):
            raise SuiteError("a row has more cells than the header", _HINT, file=path)
        row += [""] * (len(header) - len(row))
    columns = [_typed([row[place] for row in found]) for place in range(len(header))]
    return [dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]


def _typed(cells: Sequence[str]) -> list[Any]:
    present = [cell for cell in cells if cell not in _MISSING]
    make: Callable[[str], Any] = str
    if present and all(cell in _TRUE or cell in _FALSE for cell in present):
        make = _TRUE.__contains__
    elif all(map(_INT.fullmatch, present)):
        make = int if len(present) == len(cells) else float
    elif all(map(_FLOAT.fullmatch, present)):
        make = float
    return [None if cell in _MISSING else make(cell) for cell in cells]
