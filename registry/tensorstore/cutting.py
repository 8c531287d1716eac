"""Where a safetensors file is cut: its header, each tensor, small tensors packed with others."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from security.errors import InvalidSafetensors
from security.safetensors import header_length, read_header

PART = 8 << 20  # a larger tensor is kept in parts, so that memory is bounded
WINDOW = 64 << 20  # bytes of one file that are at work at once
SMALL = 64 << 10  # a smaller tensor shares an object with its neighbours
PACK_LEAST, PACK_MOST = 64 << 10, 1 << 20
_MASK = 0xF  # one small tensor in sixteen ends a pack, by its bytes alone


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes of a file that are kept together; `small` ones are packed."""

    start: int
    length: int
    small: bool = False


def cuts(fd: int, size: int) -> tuple[Cut, ...]:
    """Return the cuts of an open safetensors file, in order and without a hole.

    () of a file that is none, by the strict rules: it is kept whole. Raises OSError.
    """
    if size < 10:
        return ()
    try:
        length = header_length(os.pread(fd, 8, 0), size)
        prefix = os.pread(fd, 8 + length, 0)
        if len(prefix) < 8 + length or prefix[8:9] != b"{":
            return ()
        header = read_header(prefix, size)
    except InvalidSafetensors:
        return ()
    found = list(_parts(0, 8 + length))
    for tensor in header.tensors:
        start, count = 8 + length + tensor.start, tensor.end - tensor.start
        if 0 < count < SMALL:
            found.append(Cut(start, count, small=True))
        else:
            found += _parts(start, count)
    return tuple(found)


def windows(found: Iterable[Cut]) -> Iterator[tuple[Cut, ...]]:
    """Group cuts that follow each other, at most WINDOW bytes in each group."""
    group: list[Cut] = []
    for cut in found:
        if group and cut.start + cut.length - group[0].start > WINDOW:
            yield tuple(group)
            group = []
        group.append(cut)
    if group:
        yield tuple(group)


def ends_pack(size: int, last: bytes | memoryview) -> bool:
    """Whether a pack of `size` bytes ends with this tensor.

    Its bytes decide, so that where a tensor before it changes, the packs after it are the same.
    """
    return size >= PACK_MOST or (size >= PACK_LEAST and not zlib.crc32(last) & _MASK)


def _parts(start: int, count: int) -> Iterator[Cut]:
    for at in range(start, start + count, PART):
        yield Cut(at, min(PART, start + count - at))
