"""The wire format of protocol buffers, field by field, without a schema and without copies.

Source: "Encoding", protobuf documentation. Unknown fields are handed over like known ones; what
no writer produces any more (groups) or may read two ways (field 0, long numbers) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from security.errors import TooLarge
from security.scan.cursor import HINT, Cursor
from security.scan.source import Source

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_FIELDS = 600_000  # of one file


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `value` for numbers; `start` to `end` are the bytes of strings and messages."""

    number: int
    wire: int
    value: int
    start: int
    end: int


@dataclass(slots=True)
class Wire:
    """One file, with a count of what was read of it so far."""

    source: Source
    left: int = MAX_FIELDS
    _cursor: Cursor = field(init=False)

    def __post_init__(self) -> None:
        self._cursor = Cursor(self.source, 0, self.source.size)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Yield the fields of a message at `start` to `end`. Raises Malformed, TooLarge."""
        cursor, at = self._cursor, start
        while at < end:
            self.left -= 1
            if self.left < 0:
                raise TooLarge(f"{self.source.name}: more than {MAX_FIELDS:,} fields", HINT)
            cursor.at, cursor.end = at, end  # others may have read meanwhile
            found = self._field(cursor)
            at = found.end
            yield found

    def text(self, found: Field, limit: int = 65_536) -> str:
        """Return a field's text, cut at `limit` bytes."""
        data = self.source.read(found.start, min(limit, found.end - found.start))
        return data.decode("utf-8", "replace")

    def numbers(self, found: Field, limit: int = 64) -> tuple[int, ...]:
        """Return the values of a repeated number, packed or not."""
        if found.wire == VARINT:
            return (found.value,)
        if found.wire != BYTES:
            return ()
        cursor = self._cursor
        cursor.at, cursor.end = found.start, found.end
        values: list[int] = []
        while cursor.at < found.end:
            values.append(_varint(cursor))
            if len(values) > limit:
                raise cursor.broken(f"more than {limit} numbers at byte {found.start:,}")
        return tuple(values)

    def _field(self, cursor: Cursor) -> Field:
        at = cursor.at
        tag = _varint(cursor)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise cursor.broken(f"field number {number:,} at byte {at:,}")
        start = cursor.at
        if wire == VARINT:
            return Field(number, wire, _varint(cursor), start, cursor.at)
        if wire == BYTES:
            length = _varint(cursor)
            start = cursor.at
            cursor.skip(length)
            return Field(number, wire, 0, start, cursor.at)
        if wire not in (FIXED32, FIXED64):
            raise cursor.broken(f"wire type {wire} at byte {at:,}")
        cursor.skip(4 if wire == FIXED32 else 8)
        return Field(number, wire, 0, start, cursor.at)


def _varint(cursor: Cursor) -> int:
    value = shift = 0
    while True:
        byte = cursor.take(1)[0]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
        if shift >= 70:
            raise cursor.broken(f"a number that does not end at byte {cursor.at:,}")
    return value & (2**64 - 1)
