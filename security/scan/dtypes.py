"""Types of NumPy's elements as pickles make them: what a state says must be what its code says.

NumPy believes a state. Flags that hide objects make it follow addresses that the file holds; a
size or an offset too big makes it read what lies behind; a type that changes after it was used
does both. Source: `arraydescr_setstate`, numpy/_core/src/multiarray/descriptor.c.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import Any, NamedTuple

_CODE = re.compile(r"[<>|=]?([biufcmMOSUV])(\d{1,9})", re.ASCII)
_HOLDS, _AS_LIST = 1, 2  # NPY_ITEM_REFCOUNT, NPY_LIST_PICKLE
_FIELDS = 64  # of one type, types within included
_PARTS = 10_000  # fields of one structure


class Element(NamedTuple):
    """Bytes of one element, and whether some of them are an object's address."""

    size: int
    objects: bool


def element(made: Any) -> Element:
    """Return what NumPy takes one element for, and hold the type to it. Raises ValueError."""
    if getattr(made, "kind", "") != "dtype":
        raise ValueError("an array of an unknown type")
    made.used = True
    known: Element | None = getattr(made, "element", None)
    if known is None:
        kind, size = _code(made)
        known = made.element = Element(size, kind == "O")
    return known


def use(values: Any) -> None:
    """Hold every type among these to what it now is."""
    for value in values if type(values) in (tuple, list) else ():
        if getattr(value, "kind", "") == "dtype":
            value.used = True


def set_state(made: Any, state: Any) -> bool:
    """Whether a state says what the code of a type says; then it counts."""
    try:
        if getattr(made, "used", False):
            return False
        made.element = _believed(made, state)
    except (ValueError, TypeError, AttributeError):
        return False
    finally:
        made.used = True
    return True


def _code(made: Any) -> tuple[str, int]:
    code = made.args[0] if made.args else None
    match = _CODE.fullmatch(code) if type(code) is str else None
    if match is None:
        raise ValueError("an array of an unknown type")
    return match[1], int(match[2]) * (4 if match[1] == "U" else 1)


def _believed(made: Any, state: Any) -> Element:
    kind, size = _code(made)
    if len(made.args) != 3 or not made.args[2]:
        raise ValueError("the state of a type that everybody shares")
    if type(state) is not tuple or len(state) not in (8, 9) or state[0] not in (3, 4):
        raise ValueError("a state of an unknown version")
    base, names, fields, width, _, flags = state[2:8]
    if type(width) is not int or type(flags) is not int:
        raise ValueError("a size that is no number")
    if width != size and not (width == -1 and kind not in "SUV"):
        raise ValueError("another size than that of the code")
    objects = kind == "O"
    if kind == "V" and base is not None and names is None and fields is None:
        objects = _repeated(base, size)
    elif kind == "V" and base is None and fields is not None:
        objects = _structure(names, fields, size)
    elif not (base is None and names is None and fields is None):
        raise ValueError("parts of what has none")
    if objects and flags & (_HOLDS | _AS_LIST) != _HOLDS | _AS_LIST:
        raise ValueError("objects that the flags hide")
    return Element(size, objects or bool(flags & _HOLDS))


def _repeated(state: Any, size: int) -> bool:
    base, shape = state
    inner = element(base)
    lengths = shape if type(shape) is tuple else (shape,)
    if not all(type(n) is int and n >= 0 for n in lengths):
        raise ValueError("a shape that is none")
    if len(lengths) > _FIELDS or math.prod(lengths) * inner.size != size:
        raise ValueError("another size than that of its parts")
    return inner.objects


def _structure(names: Any, fields: Any, size: int) -> bool:
    if type(names) is not tuple or type(fields) is not dict or len(fields) > _PARTS:
        raise ValueError("fields that are none")
    spans = []
    for name in names:
        kind, at = fields[name][:2] if name in fields else (None, -1)
        inner = element(kind)
        if type(at) is not int or at < 0 or at + inner.size > size:
            raise ValueError("a field that lies outside")
        spans.append((at, at + inner.size, inner.objects))
    known = {id(fields[name]) for name in names}
    if any(id(field) not in known for field in fields.values()):  # a title is its field again
        raise ValueError("a field without a name")
    objects = any(holds for _, _, holds in spans)
    spans.sort()
    if objects and any(one[1] > other[0] for one, other in itertools.pairwise(spans)):
        raise ValueError("fields that share an object's bytes")
    return objects
