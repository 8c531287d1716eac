"""Jupyter notebooks: the code of their cells, read as Python is."""

from __future__ import annotations

from typing import Any

from registry.assets import code
from registry.assets.fields import Places
from registry.assets.values import Told, Use
from registry.documents import DocumentError, text_of
from security.scan.plainjson import Pairs, load
from security.strictjson import StrictJSONError

LIMIT = 5_000_000  # bytes; pictures in outputs make notebooks large
MAX_CELLS = 2_000
_MAGIC = ("%", "!", "?")  # lines that IPython reads before Python does


def told(data: bytes) -> Told:
    """Read a notebook (nbformat 3 and 4); a cell that does not parse is passed over."""
    try:
        text = text_of(data, limit=LIMIT)
        cells = _cells(load(data))
    except (DocumentError, StrictJSONError) as error:
        return Told(skipped=f"it is no notebook that can be read: {error}")
    source = "\n".join(_plain(cell) for cell in cells if _parses(cell))
    if not code.concerns(source.encode()):
        return Told()
    found = code.told(source.encode())
    lines = _Lines(text, source)
    uses = (Use(u.tie, u.kind, u.name, lines.of(u), u.key, u.firm, u.sure) for u in found.uses)
    return Told(found.makes, tuple(uses), None, skipped=found.skipped, computed=found.computed)


class _Lines:
    """Lines of the notebook's file for lines of its code."""

    def __init__(self, text: str, source: str) -> None:
        self._places, self._source = Places(text), source.split("\n")

    def of(self, use: Use) -> int:
        line = self._source[use.line - 1] if 0 < use.line <= len(self._source) else ""
        found = self._places.of(line + "\n", line + "\n")
        return found if found > 1 else self._places.of(line, line)


def _cells(value: Any) -> list[str]:
    top = dict(value) if isinstance(value, Pairs) else {}
    sheets = top.get("worksheets")
    cells = top.get("cells")
    if not isinstance(cells, list) and isinstance(sheets, list) and sheets:
        cells = dict(sheets[0]).get("cells") if isinstance(sheets[0], Pairs) else None
    found = []
    for cell in cells[:MAX_CELLS] if isinstance(cells, list) else []:
        fields = dict(cell) if isinstance(cell, Pairs) else {}
        if fields.get("cell_type") == "code":
            source = fields.get("source", fields.get("input", ""))
            lines = source if isinstance(source, list) else [source]
            found.append("".join(line for line in lines if isinstance(line, str)))
    return found


def _plain(cell: str) -> str:
    lines = cell.split("\n")
    if lines and lines[0].startswith("%%"):
        return "\n".join("" for _ in lines)
    return "\n".join("pass" if _is_magic(line) else line for line in lines)


def _is_magic(line: str) -> bool:
    bare = line.strip()
    return bare.startswith(_MAGIC) or bare.endswith("?")


def _parses(cell: str) -> bool:
    try:
        code.parsed(_plain(cell))
    except SyntaxError:
        return False
    return True
