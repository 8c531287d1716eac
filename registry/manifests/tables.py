"""The package tables of a TOML lock, each with its line.

A lock of 50 MB as one document would need gigabytes, and the TOML reader gives no lines; so
the text is cut at its `[[package]]` headers and every piece is read alone. A header inside
a multi-line string cuts that string in two, and both halves are refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.documents import DocumentError, text_of
from registry.manifests.requirement import ITEM_LIMIT

PIECE_LIMIT = 5_000_000  # characters of one package


@dataclass(frozen=True, slots=True)
class Table:
    """One package as parsed. `line` is that of its name, where it is written plainly."""

    value: dict[str, Any]
    line: int


def package_tables(data: bytes, key: str) -> tuple[list[Table], dict[str, Any]]:
    """Return the tables of `[[key]]`, and everything else. Raises DocumentError."""
    text = text_of(data, limit=len(data)).replace("\r\n", "\n")
    tables: list[Table] = []
    others: dict[str, Any] = {}
    for line, piece in _pieces(text, f"[[{key}]]"):
        document = _load(piece, line)
        found = document.pop(key, [])
        if not isinstance(found, list) or not all(isinstance(f, dict) for f in found):
            raise DocumentError(f"{key} is not a list of tables", line)
        tables.extend(Table(f, _name_line(piece, f, line)) for f in found)
        if again := others.keys() & document.keys():
            raise DocumentError(f"duplicate key {min(again)[:80]!r}", line)
        others |= document
    return tables, others


def _pieces(text: str, header: str) -> Iterator[tuple[int, str]]:
    if text.count(header) > ITEM_LIMIT:
        raise DocumentError(f"more than {ITEM_LIMIT:,} packages")
    starts = [m.start() for m in re.finditer(rf"^{re.escape(header)}", text, re.MULTILINE)]
    line = 1
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        yield line, text[start:end]
        line += text.count("\n", start, end)


def _load(piece: str, line: int) -> dict[str, Any]:
    if len(piece) > PIECE_LIMIT:
        raise DocumentError(f"a table of {len(piece):,} characters", line)
    try:
        return tomllib.loads(piece)
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"not TOML: {error}", line) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError(
            "nested too deeply, or a number of thousands of digits", line
        ) from error


def _name_line(piece: str, value: dict[str, Any], line: int) -> int:
    offset = piece.find(f'name = "{value.get("name")}"')
    return line + piece.count("\n", 0, offset) if offset >= 0 else line


def text_at(value: Any, *keys: str) -> str:
    """Return the string below `keys`, or "" where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def items_at(value: Any, *keys: str) -> list[Any]:
    """Return the list below `keys`, or [] where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def table_at(value: Any, *keys: str) -> dict[str, Any]:
    """Return the table below `keys`, or {} where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
