"""Files that are packed as a whole. What the standard library cannot unpack is undecided."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from security.scan.findings import Unpacking
from security.scan.source import Source
from security.scan.values import Report

CHUNK = 1 << 20
MEMORY = 128 << 20  # bytes that xz may use
STREAMS = 1_000  # packed streams behind each other
UNREADABLE = (
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"Rar!\x1a\x07", "rar"),
    (b"LZIP", "lzip"),
    (b"\x1f\x9d", "compress"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"MSCF\0\0\0\0", "cab"),
)
_XZ, _LZMA = b"\xfd7zXZ\x00", b"\x5d\x00\x00"
_ENDINGS = (".gz", ".bz2", ".xz", ".lzma", ".z", ".zlib")


def read(source: Source, report: Unpacking) -> None:
    """Unpack a file and have what it holds judged."""
    head = source.read(0, 16)
    for magic, name in UNREADABLE:
        if head.startswith(magic):
            report.doubt("packed", f"is packed by {name}, which cannot be read here", 0)
            return
    make = _engine(head)
    inner = f"{source.name}!/{_stem(source.base)}"
    report.unpacked(inner, source.size, _unpacked(source, make, report))


def _engine(head: bytes) -> Callable[[], Any]:
    if head.startswith(b"\x1f\x8b"):
        return lambda: zlib.decompressobj(wbits=31)
    if head.startswith(b"BZh"):
        return bz2.BZ2Decompressor
    if head.startswith((_XZ, _LZMA)):
        return lambda: lzma.LZMADecompressor(memlimit=MEMORY)
    return zlib.decompressobj


def _unpacked(source: Source, make: Callable[[], Any], report: Report) -> Iterator[bytes]:
    """Yield unpacked bytes of every stream; what is wrong is noted, what was read is judged."""
    at, data = 0, source.read(0, CHUNK)
    at = len(data)
    try:
        for _ in range(STREAMS):
            engine = make()
            while not engine.eof:
                chunk = engine.decompress(data, CHUNK)
                yield chunk
                data = getattr(engine, "unconsumed_tail", b"")
                if not data and not chunk and not engine.eof:
                    data = source.read(at, CHUNK)
                    at += len(data)
                    if not data:
                        report.doubt("broken", "is cut short", at)
                        return
            data = engine.unused_data or source.read(at, CHUNK)
            at = max(at, at + (0 if engine.unused_data else len(data)))
            if not data.strip(b"\0"):
                return
    except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
        report.doubt("broken", f"cannot be unpacked as a whole: {error}", at - len(data))
        return
    report.doubt("limit", f"holds more than {STREAMS:,} streams", at)


def _stem(base: str) -> str:
    if base.endswith((".tgz", ".tbz", ".txz")):
        return base[:-3] + "tar"
    for ending in _ENDINGS:
        if base.endswith(ending):
            return base.removesuffix(ending)
    return base
