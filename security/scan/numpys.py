"""NumPy's own files: a header, then numbers or, for arrays of objects, a pickle."""

from __future__ import annotations

import math
import re
from typing import Any

from security import npy
from security.errors import Malformed
from security.scan.source import Source
from security.scan.values import Report

HINT = "write it again with numpy.save"
_CODE = re.compile(r"[<>|=]?([biufcSUVmMO])(\d*)(\[\w+\])?\Z")


def read(source: Source, report: Report) -> None:
    """Judge an array. Raises Malformed."""
    prefix = source.read(0, 12)
    wide = prefix[6:7] != b"\x01"
    start = 12 if wide else 10
    length = int.from_bytes(prefix[8:start], "little")
    if prefix[6:7] not in (b"\x01", b"\x02", b"\x03") or length > npy.LIMIT:
        raise Malformed(f"{source.name}: a header that NumPy would not read", HINT)
    descr, shape = _header(source, start, length)
    width, objects = _width(descr, source.name, 0)
    end = start + length
    if objects:
        report.pickles(source.part(f"{source.name}!/objects", end, source.size))
        return
    size = math.prod(shape) * width
    if end + size != source.size:
        what = f"holds {source.size - end:,} bytes of an array of {size:,}"
        report.doubt("trailing" if end + size < source.size else "broken", what, end)


def _header(source: Source, start: int, length: int) -> tuple[Any, tuple[int, ...]]:
    text = source.read(start, length).decode("latin-1")
    try:
        found = npy.literal(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.keys() != {"descr", "fortran_order", "shape"}:
        raise Malformed(f"{source.name}: a header that is none", HINT)
    shape = found["shape"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise Malformed(f"{source.name}: a shape that is none", HINT)
    return found["descr"], shape


def _width(descr: Any, label: str, depth: int) -> tuple[int, bool]:
    """Return the bytes of one element, and whether it holds objects."""
    if isinstance(descr, str) and (match := _CODE.match(descr)):
        code, digits = match[1], match[2][:9]
        width = int(digits or 1) * (4 if code == "U" else 1)
        return width, code == "O"
    if depth < 16 and isinstance(descr, list):
        parts = [_field(field, label, depth) for field in descr]
        return sum(width for width, _ in parts), any(objects for _, objects in parts)
    if depth < 16 and isinstance(descr, tuple) and len(descr) == 2:
        width, objects = _width(descr[0], label, depth + 1)
        shape = descr[1] if isinstance(descr[1], tuple) else (descr[1],)
        if all(type(n) is int and n >= 0 for n in shape):
            return width * math.prod(shape), objects
    raise Malformed(f"{label}: a type of element that is none", HINT)


def _field(field: Any, label: str, depth: int) -> tuple[int, bool]:
    if not isinstance(field, tuple) or not 2 <= len(field) <= 3:
        raise Malformed(f"{label}: a field that is none", HINT)
    return _width(field[1] if len(field) == 2 else (field[1], field[2]), label, depth + 1)
