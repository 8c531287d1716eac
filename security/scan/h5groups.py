"""Groups of HDF5: what they link to, in all the forms links are kept in.

Source: HDF5 File Format Specification 3.0, III.B, III.C (symbol tables), IV.A.2.c, g, r (links).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from security.errors import TooLarge
from security.scan.cursor import HINT, Cursor
from security.scan.h5heaps import NotRead, dense, local_text
from security.scan.h5objects import File

MAX_LEVELS = 24
MAX_NODES = 200_000
HARD, SOFT, EXTERNAL = 0, 1, 64
_CACHED_SOFT = 2


@dataclass(frozen=True, slots=True)
class Link:
    """One link: `target` is what a soft or external one names, `address` what a hard one is."""

    name: str
    kind: int
    address: int = 0
    target: str = ""


def link(file: File, cursor: Cursor) -> Link:
    """Read a link message."""
    at = cursor.at
    if cursor.number(1) != 1:
        raise cursor.broken(f"a link of unknown version at {at:,}")
    flags = cursor.number(1)
    kind = cursor.number(1) if flags & 8 else HARD
    cursor.skip((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = cursor.take(_bounded(cursor, cursor.number(1 << (flags & 3)))).decode("utf-8", "replace")
    if kind == HARD:
        address = file.address(cursor)
        if address is None:
            raise cursor.broken(f"a link to nowhere at {at:,}")
        return Link(name, HARD, address)
    target = cursor.take(cursor.number(2))
    if kind == EXTERNAL:
        target = target[1:].replace(b"\0", b":", 1)
    return Link(name, kind, 0, target.rstrip(b"\0").decode("utf-8", "replace"))


def dense_links(file: File, cursor: Cursor) -> Iterator[Link]:
    """Read a link info message, and the links in the heap it names."""
    cursor.skip(1)
    flags = cursor.number(1)
    cursor.skip(8 if flags & 1 else 0)
    heap, tree = file.address(cursor), file.address(cursor)
    if heap is None or tree is None:
        return
    for address, size in dense(file, heap, tree):
        yield link(file, file.at(address, size))


def table(file: File, cursor: Cursor) -> Iterator[Link]:
    """Read a symbol table message, and the links of the B-tree it names."""
    root, heap = file.address(cursor), file.address(cursor)
    if root is None or heap is None:
        return
    waiting = [(root, MAX_LEVELS)]
    seen: set[int] = set()
    while waiting:
        address, levels = waiting.pop()
        if address in seen or len(seen) > MAX_NODES or not levels:
            raise TooLarge(f"{file.source.name}: a B-tree with circles or of great size", HINT)
        seen.add(address)
        node = file.at(address)
        if (mark := node.take(4)) == b"SNOD":
            yield from _symbols(file, node, heap)
            continue
        if mark != b"TREE" or node.number(1) != 0:
            raise node.broken(f"no B-tree of a group at {address:,}")
        node.skip(1)
        count = node.number(2)
        node.skip(2 * file.offsets)
        for _ in range(count):
            node.skip(file.lengths)
            child = file.address(node)
            if child is not None:
                waiting.append((child, levels - 1))
        file.spend(count * 16)


def _symbols(file: File, node: Cursor, heap: int) -> Iterator[Link]:
    node.skip(2)
    for _ in range(node.number(2)):
        offset, address = node.number(file.offsets), file.address(node)
        cached = node.number(4)
        node.skip(4)
        scratch = node.take(16)
        name = local_text(file, heap, offset).decode("utf-8", "replace")
        if cached == _CACHED_SOFT:
            value = local_text(file, heap, int.from_bytes(scratch[:4], "little"))
            yield Link(name, SOFT, 0, value.decode("utf-8", "replace"))
        elif address is None:
            raise NotRead("a link to nowhere in a symbol table")
        else:
            yield Link(name, HARD, address)


def _bounded(cursor: Cursor, count: int) -> int:
    if count > 65_536:
        raise cursor.broken(f"a name of {count:,} bytes at {cursor.at:,}")
    return count
