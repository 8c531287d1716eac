"""Heaps of HDF5: names of old groups, long values, and the dense form of links and attributes.

Source: HDF5 File Format Specification 3.0, III.A.2 (B-trees), III.D, III.E, III.G (heaps).
Of fractal heaps only those are read whose blocks hang on the root; larger ones are a doubt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from security.scan.h5objects import File

MAX_VALUE = 32 << 20  # bytes of one value
MAX_DEPTH = 8  # levels of a B-tree


class NotRead(Exception):
    """Well formed perhaps, but of a kind that is not read here; the message says which."""


@dataclass(frozen=True, slots=True)
class Heap:
    """A fractal heap: where its direct blocks are, as (offset in the heap, address, size)."""

    blocks: tuple[tuple[int, int, int], ...]
    offset_size: int
    length_size: int


def local_text(file: File, heap: int, offset: int, limit: int = 4_096) -> bytes:
    """Return the text at an offset of a local heap, without its final zero."""
    cursor = file.at(heap)
    if cursor.take(4) != b"HEAP":
        raise cursor.broken(f"no local heap at {heap:,}")
    cursor.skip(4)
    size = file.length(cursor)
    file.length(cursor)
    data = file.address(cursor)
    if data is None or offset >= size:
        raise cursor.broken(f"a name beyond its heap at {heap:,}")
    text = file.source.read(file.base + data + offset, min(limit, size - offset))
    file.spend(64)
    return text.partition(b"\0")[0]


def global_value(file: File, heap: int, index: int) -> bytes:
    """Return an object of a global heap collection."""
    cursor = file.at(heap)
    if cursor.take(4) != b"GCOL":
        raise cursor.broken(f"no global heap at {heap:,}")
    cursor.skip(4)
    end = cursor.at - 8 + file.length(cursor)
    while cursor.at + 8 + file.lengths <= end:
        number = cursor.number(2)
        cursor.skip(6)
        size = file.length(cursor)
        file.spend(16)
        if number == index:
            if size > MAX_VALUE:
                raise NotRead(f"a value of {size:,} bytes")
            file.spend(size)
            return cursor.take(size)
        if number == 0:
            break
        cursor.skip(size + -size % 8)
    raise cursor.broken(f"no object {index} in the global heap at {heap:,}")


def dense(file: File, heap: int, tree: int) -> Iterator[tuple[int, int]]:
    """Yield (address, size) of each object in a fractal heap that a B-tree names."""
    known = _fractal(file, heap)
    for identity in _records(file, tree):
        kind = identity[0] >> 4 & 3
        if identity[0] >> 6 or kind == 1:
            raise NotRead("an object kept outside of its heap")
        if kind == 2:
            raise NotRead("an object kept inside of its name")
        at = int.from_bytes(identity[1 : 1 + known.offset_size], "little")
        rest = identity[1 + known.offset_size :][: known.length_size]
        size = int.from_bytes(rest, "little")
        place = bisect_right(known.blocks, at, key=lambda block: block[0]) - 1
        offset, address, length = known.blocks[place] if place >= 0 else (0, 0, 0)
        if at + size > offset + length:
            raise NotRead("an object in a block that is not read")
        yield address + at - offset, size


def _fractal(file: File, address: int) -> Heap:
    cursor = file.at(address)
    if cursor.take(4) != b"FRHP" or cursor.number(1) != 0:
        raise cursor.broken(f"no fractal heap at {address:,}")
    cursor.skip(2)
    if cursor.number(2):
        raise NotRead("a heap that is filtered")
    cursor.skip(1)
    largest = cursor.number(4)
    cursor.skip(10 * file.lengths + 2 * file.offsets)
    width, start, most = cursor.number(2), file.length(cursor), file.length(cursor)
    bits = cursor.number(2)
    cursor.skip(2)
    root, rows = file.address(cursor), cursor.number(2)
    if root is None:
        return Heap((), 1, 1)
    if not (0 < width <= 1_024 and 0 < start <= most <= 1 << 32 and 0 < bits <= 64 and rows < 64):
        raise cursor.broken(f"a fractal heap with impossible sizes at {address:,}")
    blocks = [(0, root, start)]
    if rows:
        blocks = list(_rows(file, root, rows, width, start, most, (bits + 7) // 8))
    lengths = (min(most, largest).bit_length() + 7) // 8
    return Heap(tuple(blocks), (bits + 7) // 8, lengths)


def _rows(
    file: File, root: int, rows: int, width: int, start: int, most: int, bytes_: int
) -> Iterator[tuple[int, int, int]]:
    cursor = file.at(root)
    if cursor.take(4) != b"FHIB":
        raise cursor.broken(f"no block of a heap at {root:,}")
    cursor.skip(1 + file.offsets + bytes_)
    file.spend(rows * width * file.offsets)
    offset = 0
    for row in range(rows):
        size = start << max(0, row - 1)
        if size > most:
            return  # blocks of blocks: what lies in them is not found, and a doubt
        for _ in range(width):
            address = file.address(cursor)
            if address is not None:
                yield offset, address, size
            offset += size


def _records(file: File, address: int) -> Iterator[bytes]:
    """Yield the heap identities in a B-tree of version 2."""
    cursor = file.at(address)
    if cursor.take(4) != b"BTHD":
        raise cursor.broken(f"no B-tree at {address:,}")
    cursor.skip(1)
    kind, node = cursor.number(1), cursor.number(4)
    size, depth = cursor.number(2), cursor.number(2)
    cursor.skip(2)
    root, count = file.address(cursor), cursor.number(2)
    if root is None or not count:
        return
    # Where the heap's identity stands in a record: after a hash (5), first (8), else unknown.
    places = {5: (4, 11), 8: (0, 8)}
    if kind not in places or size < places[kind][1] or depth > MAX_DEPTH or node < size + 32:
        raise NotRead(f"a B-tree of the kind {kind} with {depth} levels")
    widths = _widths(node, size, depth, file.offsets)
    waiting = [(root, count, depth)]
    while waiting:
        address, count, level = waiting.pop()
        inner = file.at(address, node)
        if inner.take(4) != (b"BTIN" if level else b"BTLF"):
            raise inner.broken(f"no node of a B-tree at {address:,}")
        inner.skip(2)
        file.spend(node)
        for _ in range(count):
            yield inner.take(size)[slice(*places[kind])]
        for _ in range(count + 1 if level else 0):
            child, fewer = file.address(inner), inner.number(widths[0])
            inner.skip(widths[level - 1] if level > 1 else 0)
            if child is None:
                raise inner.broken(f"a B-tree with a gap at {inner.at:,}")
            waiting.append((child, fewer, level - 1))


def _widths(node: int, size: int, depth: int, offsets: int) -> list[int]:
    """Return in how many bytes a node counts the records of a child, and of all below it."""
    total = (node - 10) // size
    widths = [_width(total)]
    for level in range(1, depth):
        pointer = offsets + widths[0] + (widths[level - 1] if level > 1 else 0)
        here = (node - 10 - pointer) // (size + pointer)
        total = (here + 1) * total + here
        widths.append(_width(total))
    return widths


def _width(limit: int) -> int:
    return (limit.bit_length() - 1) // 8 + 1
