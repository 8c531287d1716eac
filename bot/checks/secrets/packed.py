"""Text that only looks binary: packed by gzip, or with NUL bytes in it."""

from __future__ import annotations

import codecs
import zlib

from bot import added
from bot.errors import TooLarge

_GZIP = b"\x1f\x8b\x08"
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
STEP = 4_096  # bytes unpacked at once
MEMBERS = 100_000  # of a file: each costs time, and may hold nothing
SAMPLES = 3  # places of a file that are looked at
FEW = 100  # one control character among so many says that it is no text


def bared(data: bytes, limit: int, *, whole: bool = True) -> bytes:
    """Return what a reader gets who unpacks a file and sees no NUL; other bytes as they are.

    Raises TooLarge beyond `limit` unpacked bytes; of what is not `whole`, that many.
    """
    if data.startswith(_GZIP):
        data = _unpacked(data, limit, whole=whole)
    if data.startswith(_MARKS) and b"\0" not in data[: added.SNIFFED]:
        return data[2:]  # the mark of UTF-16 before what is none: it would be read as Chinese
    if added.text(data) is None and _is_text(data):
        return data.replace(b"\0", b"")
    return data


def _unpacked(data: bytes, limit: int, *, whole: bool) -> bytes:
    found, members, at = bytearray(), 0, 0
    reader, left = zlib.decompressobj(wbits=31), b""
    while at < len(data) or left:
        # In small steps: what is left of a step is copied for each member that ends in it.
        step = left or data[at : at + STEP]
        at += 0 if left else len(step)
        try:
            found += reader.decompress(step, limit - len(found) + 1)
        except zlib.error:
            return bytes(found) or data  # no gzip, or no more of it
        if len(found) > limit or members > MEMBERS:
            if whole:
                raise TooLarge(f"more than {limit:,} bytes unpacked", "split the file")
            break
        left = b""
        if reader.eof:
            left, members = reader.unused_data, members + 1
            reader = zlib.decompressobj(wbits=31)
    return bytes(found)


def _is_text(data: bytes) -> bool:
    """Whether samples of a file are UTF-8 without control characters but for NUL."""
    step = max(1, (len(data) - added.SNIFFED) // (SAMPLES - 1))
    for start in range(0, max(1, len(data) - added.SNIFFED + 1), step):
        sample = data[start : start + added.SNIFFED].replace(b"\0", b"")
        controls = len(sample) - len(sample.translate(None, _CONTROLS))
        wrong = len(sample) - len(sample.decode("utf-8", "ignore").encode())
        if controls * FEW > len(sample) or wrong > 6:  # a sample may cut a character in two
            return False
    return bool(data.strip(b"\0"))
