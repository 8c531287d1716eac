"""The first bytes inside a compressed file, within bounds of time and memory."""

from __future__ import annotations

import bz2
import lzma
import zlib

COUNT = 65_536  # bytes unpacked at most
MEMORY = 64_000_000


def head(data: bytes) -> bytes:
    """Return the first unpacked bytes of gzip, bzip2 or xz data; b"" where it cannot be read."""
    try:
        if data.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(data, COUNT)
        if data.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(data, COUNT)
        if data.startswith(b"\xfd7zXZ\x00"):
            return lzma.LZMADecompressor(memlimit=MEMORY).decompress(data, COUNT)
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return b""
    return b""


def raw_head(data: bytes) -> bytes:
    """Return the first unpacked bytes of a deflate stream; b"" where it is none."""
    try:
        return zlib.decompressobj(wbits=-15).decompress(data, COUNT)
    except zlib.error:
        return b""


def zlib_head(data: bytes) -> bytes:
    """Return the first unpacked bytes of a bare zlib stream; b"" where it is none."""
    if data[:1] != b"\x78" or int.from_bytes(data[:2], "big") % 31:
        return b""
    try:
        return zlib.decompressobj().decompress(data, COUNT)
    except zlib.error:
        return b""


def lzma_head(data: bytes) -> bytes:
    """Return the first unpacked bytes of an LZMA file without a container; b"" where it is none."""
    try:
        engine = lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MEMORY)
        return engine.decompress(data, COUNT)
    except (lzma.LZMAError, EOFError):
        return b""
