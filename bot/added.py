"""Which lines a change adds to a file: those the head has more often than the base.

A moved line is not new. Time grows with both files; what is remembered of the base is bounded.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

SNIFFED = 8_000  # bytes in which a NUL says "binary", as git has it
REMEMBERED = 2_000_000  # different lines of the base; each beyond them counts as absent
BLOCK = 1 << 16  # bytes compared at once
# The longer mark first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Added lines that follow one another: the 1-based number of the first, and their bytes."""

    line: int
    data: bytes


def text(data: bytes) -> bytes | None:
    """Return a file's text as UTF-8 without its byte order mark, or None for a binary file.

    UTF-16 and UTF-32 are known by their marks; bytes of another encoding stay as they are.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace").encode()
    if b"\0" in data[:SNIFFED]:
        return None
    return data.removeprefix(codecs.BOM_UTF8)


def runs(before: bytes | None, after: bytes) -> Iterator[Run]:
    """Yield the added lines in runs, with their line ends; nothing of a binary file.

    A base that is absent or binary has no lines. Line ends and a byte order mark are no change.
    """
    new = text(after)
    old = (text(before) or b"") if before is not None else b""
    if not new:
        return
    if not old:
        yield Run(1, new)
        return
    start = _common_start(old, new)
    end = _common_end(old, new, start)
    known = _counts(old[start : len(old) - end])
    number = new.count(b"\n", 0, start) + 1
    yield from _differing(known, new[start : len(new) - end], number)


def lines(before: bytes | None, after: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each added line with its 1-based number, without its line end."""
    for run in runs(before, after):
        for number, line in enumerate(io.BytesIO(run.data), run.line):
            yield number, line.rstrip(b"\r\n")


def _counts(data: bytes) -> dict[bytes, int]:
    known: dict[bytes, int] = {}
    for line in io.BytesIO(data):
        bare = line.rstrip(b"\r\n")
        count = known.get(bare, 0)
        if count or len(known) < REMEMBERED:
            known[bare] = count + 1
    return known


def _differing(known: dict[bytes, int], data: bytes, number: int) -> Iterator[Run]:
    first = start = at = -1  # number and offset of the first line of the run that is open
    here = 0
    for at, line in enumerate(io.BytesIO(data), number):
        bare = line.rstrip(b"\r\n")
        count = known.get(bare, 0)
        if count:
            known[bare] = count - 1
            if first >= 0:
                yield Run(first, data[start:here])
                first = -1
        elif first < 0:
            first, start = at, here
        here += len(line)
    if first >= 0:
        yield Run(first, data[start:here])


def _common_start(old: bytes, new: bytes) -> int:
    """Return how many bytes of whole lines both begin with."""
    at, limit = 0, min(len(old), len(new))
    while at < limit and old[at : at + BLOCK] == new[at : at + BLOCK]:
        at += BLOCK
    at = min(at, limit)
    while at < limit and old[at] == new[at]:
        at += 1
    return new.rfind(b"\n", 0, at) + 1


def _common_end(old: bytes, new: bytes, start: int) -> int:
    """Return how many bytes of whole lines both end with, what they begin with left out."""
    limit = min(len(old), len(new)) - start
    at = 0
    while at + BLOCK <= limit and _tail(old, at) == _tail(new, at):
        at += BLOCK
    while at < limit and old[len(old) - 1 - at] == new[len(new) - 1 - at]:
        at += 1
    if at == limit and _at_line(old, at) and _at_line(new, at):
        return at
    after = new.find(b"\n", len(new) - at)
    return len(new) - after - 1 if after >= 0 else 0


def _tail(data: bytes, skipped: int) -> bytes:
    end = len(data) - skipped
    return data[end - BLOCK : end]


def _at_line(data: bytes, count: int) -> bool:
    """Whether the last `count` bytes begin a line."""
    before = len(data) - count
    return before == 0 or data[before - 1] == ord("\n")
