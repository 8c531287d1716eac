"""Attributes of HDF5: their names, and the value of those that hold one text.

Source: HDF5 File Format Specification 3.0, IV.A.2.b, d, m (dataspace, datatype, attribute).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from security.scan.cursor import Cursor
from security.scan.h5heaps import MAX_VALUE, NotRead, dense, global_value
from security.scan.h5objects import File

MAX_TEXTS = 100_000  # values of one attribute
_STRING, _VARIABLE = 3, 9


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `values` are its texts, () where it holds something else."""

    name: str
    values: tuple[bytes, ...]
    at: int


def attribute(file: File, cursor: Cursor) -> Attribute:
    """Read an attribute message. Raises Malformed, NotRead."""
    at = cursor.at
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3):
        raise NotRead(f"an attribute of version {version}")
    sizes = [cursor.number(2) for _ in range(3)]
    if version == 3:
        cursor.skip(1)
    step = 8 if version == 1 else 1
    raw = [_part(cursor, size, step) for size in sizes]
    name = raw[0].partition(b"\0")[0].decode("utf-8", "replace")
    if version > 1 and flags & 3:
        raise NotRead(f"the attribute {name:.60}, whose type is kept elsewhere")
    count = _count(file, raw[2], cursor)
    return Attribute(name, tuple(_texts(file, cursor, raw[1], count, name)), at)


def dense_attributes(file: File, cursor: Cursor) -> Iterator[Attribute]:
    """Read an attribute info message, and the attributes in the heap it names."""
    cursor.skip(1)
    flags = cursor.number(1)
    cursor.skip(2 if flags & 1 else 0)
    heap, tree = file.address(cursor), file.address(cursor)
    if heap is None or tree is None:
        return
    for address, size in dense(file, heap, tree):
        yield attribute(file, file.at(address, size))


def _part(cursor: Cursor, size: int, step: int) -> bytes:
    data = cursor.take(size)
    cursor.skip(-size % step)
    return data


def _count(file: File, space: bytes, cursor: Cursor) -> int:
    """Return how many values a dataspace holds."""
    if len(space) < 4 or space[0] not in (1, 2):
        raise cursor.broken(f"a dataspace of unknown version before {cursor.at:,}")
    rank = space[1]
    start = 8 if space[0] == 1 else 4
    if space[0] == 2 and space[3] == 2:  # null: no value at all
        return 0
    total = 1
    for index in range(rank):
        size = space[start + index * file.lengths :][: file.lengths]
        total *= int.from_bytes(size, "little")
    return total


def _texts(file: File, cursor: Cursor, kind: bytes, count: int, name: str) -> Iterator[bytes]:
    if len(kind) < 8:
        raise cursor.broken(f"a datatype cut short before {cursor.at:,}")
    size = int.from_bytes(kind[4:8], "little")
    group = kind[0] & 0x0F
    if group not in (_STRING, _VARIABLE) or (group == _VARIABLE and kind[1] & 0x0F != 1):
        return
    if count > MAX_TEXTS or count * size > MAX_VALUE:
        raise NotRead(f"the attribute {name:.60} with {count:,} texts")
    for _ in range(count):
        if group == _STRING:
            file.spend(size)
            yield cursor.take(size)
            continue
        length = cursor.number(4)
        address, index = file.address(cursor), cursor.number(4)
        if address:  # an empty text has none
            yield global_value(file, address, index)[:length]
