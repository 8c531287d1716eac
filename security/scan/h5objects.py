"""Object headers of HDF5: the messages that say what a group or dataset is.

Source: HDF5 File Format Specification 3.0, sections II (superblock) and IV (object headers).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from security.errors import TooLarge
from security.scan.cursor import HINT, Cursor
from security.scan.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_BLOCKS = 256  # continuations of one header
MAX_MESSAGES = 1_000_000  # of one file
PLACE = 256  # counted for each place that is visited
BUDGET = 96 << 20  # bytes of structure read of one file
CONTINUATION = 0x10


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its bytes are at `start` to `end` of the file."""

    kind: int
    flags: int
    start: int
    end: int


@dataclass(slots=True)
class File:
    """One HDF5 file: widths of its addresses and lengths, and what may still be read of it."""

    source: Source
    base: int = 0
    offsets: int = 8
    lengths: int = 8
    left: int = BUDGET
    messages: int = MAX_MESSAGES

    def at(self, address: int, count: int = -1) -> Cursor:
        """Return a cursor at an address of the file, over `count` bytes or to its end."""
        start = self.base + address
        end = self.source.size if count < 0 else min(self.source.size, start + count)
        cursor = Cursor(self.source, start, end, budget=max(0, self.left))
        if start >= self.source.size:
            raise cursor.broken(f"an address beyond the file: {start:,}")
        self.left -= PLACE
        if self.left < 0:
            raise TooLarge(f"{self.source.name}: too much structure to read", HINT)
        return cursor

    def address(self, cursor: Cursor) -> int | None:
        """Read an address; None for the one that is undefined."""
        value = cursor.number(self.offsets)
        return None if value == (1 << 8 * self.offsets) - 1 else value

    def length(self, cursor: Cursor) -> int:
        """Read a length."""
        return cursor.number(self.lengths)

    def spend(self, count: int) -> None:
        """Count bytes that were read. Raises TooLarge."""
        self.left -= count
        if self.left < 0:
            raise TooLarge(f"{self.source.name}: too much structure to read", HINT)


def messages(file: File, address: int) -> Iterator[Message]:
    """Yield the messages of the object at an address, continuations included."""
    cursor = file.at(address)
    first = cursor.take(4)
    blocks: list[tuple[int, int]] = []
    tracked = False
    if first == b"OHDR":
        if cursor.number(1) != 2:
            raise cursor.broken(f"an object header of unknown version at {address:,}")
        flags = cursor.number(1)
        cursor.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = cursor.number(1 << (flags & 3))
        tracked = bool(flags & 4)
        blocks.append((cursor.at, cursor.at + size))
    elif first[0] == 1:
        cursor.skip(4)  # how many refer to it
        size = cursor.number(4)
        cursor.skip(4)
        blocks.append((cursor.at, cursor.at + size))
    else:
        raise cursor.broken(f"no object header at {address:,}")
    new = first == b"OHDR"
    for done, (start, end) in enumerate(blocks):
        if done > MAX_BLOCKS:
            raise TooLarge(f"{file.source.name}: a header of more than {MAX_BLOCKS} blocks", HINT)
        for message in _block(file, start, end, new, tracked):
            if message.kind == CONTINUATION:
                blocks.append(_continued(file, message, new))
            else:
                yield message


def _block(file: File, start: int, end: int, new: bool, tracked: bool) -> Iterator[Message]:
    cursor = file.at(start - file.base, end - start)
    if end > file.source.size:
        raise cursor.broken(f"an object header that ends beyond the file, at {start:,}")
    head = (6 if tracked else 4) if new else 8
    while cursor.at + head <= end:
        file.messages -= 1
        if file.messages < 0:
            raise TooLarge(f"{file.source.name}: more than {MAX_MESSAGES:,} messages", HINT)
        kind = cursor.number(1 if new else 2)
        size, flags = cursor.number(2), cursor.number(1)
        cursor.skip(head - (4 if new else 5))
        at = cursor.at
        cursor.skip(size)
        file.spend(head)
        yield Message(kind, flags, at, at + size)


def _continued(file: File, message: Message, new: bool) -> tuple[int, int]:
    cursor = file.at(message.start - file.base, message.end - message.start)
    address, length = file.address(cursor), file.length(cursor)
    if address is None or file.base + address + length > file.source.size:
        raise cursor.broken(f"a header that goes on beyond the file, at {message.start:,}")
    start, end = file.base + address, file.base + address + length
    if new:
        if file.at(address).take(4) != b"OCHK":
            raise cursor.broken(f"no continuation of a header at {start:,}")
        return start + 4, end - 4
    return start, end
