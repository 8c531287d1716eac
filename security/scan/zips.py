"""Zip archives: members are judged only where both of their records say the same.

APPNOTE.TXT 6.3.10. Loaders differ in which record they believe, so every difference is a finding.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

from security.scan.findings import Unpacking
from security.scan.members import Names
from security.scan.source import Source
from security.scan.values import Report
from security.scan.ziprecords import DESCRIPTOR, STORED, Member, central, data_start

CHUNK = 1 << 20
CHECKED = 16 << 20  # bytes of a stored member whose checksum is computed
# Deflate's options, a descriptor behind the data, names in UTF-8. Any other bit changes the data.
FLAGS = 0b0000_1000_0000_1110
DEFLATED = 8
_PROGRAM = re.compile(r"(^|/)code/.*\.py\Z")


def read(source: Source, report: Unpacking) -> None:
    """Judge an archive and every member. Raises Malformed."""
    members, start, end = central(source, report)
    report.members = {member.name.lower(): member.size for member in members}
    names = Names(report)
    spans: list[tuple[int, int, str]] = []
    for member in members:
        _facts(member, report)
        names.add(member.name, member.offset)
        found = data_start(source, member, report)
        if found is None:
            continue
        stop = found + member.packed
        spans.append((member.offset, stop + _descriptor(source, member, stop), member.name))
        if not member.name.endswith("/") and stop <= source.size:
            _content(source, member, found, report)
    _layout(spans, start, end, report)
    if any(_PROGRAM.search(member.name) for member in members):
        report.doubt("torchscript", "holds a TorchScript program")


def _facts(member: Member, report: Report) -> None:
    """Judge what the central record says."""
    if member.flags & ~FLAGS:
        word = "encrypted" if member.flags & 1 else f"marked with flags {member.flags:#06x}"
        report.doubt("container", f"{member.name} is {word}", member.offset)
    if member.kind not in (0, 0o100000, 0o040000):
        report.threat("container", f"{member.name} is a link or a device", member.offset)
    if member.name.endswith("/") and member.size:
        report.doubt("container", f"{member.name} is a folder with content", member.offset)
    if (not member.raw.isascii() and not member.flags & 0x800) or b"\0" in member.raw:
        report.doubt("container", f"{member.name!a} is a name readers differ on", member.offset)


def _content(source: Source, member: Member, start: int, report: Unpacking) -> None:
    """Have the content judged, whether or not its checksum holds."""
    name = f"{source.name}!/{member.name}"
    if member.method == STORED:
        if member.size != member.packed:
            report.doubt("container", f"{member.name} is stored in another size", member.offset)
        part = source.part(name, start, start + member.packed)
        if member.packed <= CHECKED and zlib.crc32(part.read(0, CHECKED)) != member.crc:
            report.doubt("container", f"{member.name} has a wrong checksum", member.offset)
        report.inner(part)
    elif member.method == DEFLATED:
        part = source.part(name, start, start + member.packed)
        report.unpacked(name, member.packed, _inflated(part, member, report))
    else:
        what = f"{member.name} is packed by method {member.method}"
        report.doubt("packed", what, member.offset)


def _inflated(part: Source, member: Member, report: Report) -> Iterator[bytes]:
    """Yield the unpacked bytes; what is wrong with them is noted, what was read is judged."""
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    crc = size = at = 0
    try:
        while not engine.eof:
            data = engine.unconsumed_tail
            if not data:
                data = part.read(at, CHUNK)
                at += len(data)
                if not data:
                    break
            chunk = engine.decompress(data, CHUNK)
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            yield chunk
    except zlib.error as error:
        report.doubt("container", f"{member.name} breaks: {error}", member.offset)
        return
    left = len(engine.unused_data) + part.size - at
    if not engine.eof or left or size != member.size or crc != member.crc:
        what = f"{member.name} has another size or checksum than its record"
        report.doubt("container", what, member.offset)


def _descriptor(source: Source, member: Member, at: int) -> int:
    """Return the length of the record behind the data, 0 where none is or it says other things."""
    if not member.flags & DESCRIPTOR:
        return 0
    data = source.read(at, 24)
    for width in (4, 8):
        sizes = b""
        for value in (member.packed, member.size):
            if value < 256**width:
                sizes += value.to_bytes(width, "little")
        record = member.crc.to_bytes(4, "little") + sizes
        for whole in (b"PK\x07\x08" + record, record):
            if len(sizes) == 2 * width and data.startswith(whole):
                return len(whole)
    return 0


def _layout(spans: Iterable[tuple[int, int, str]], start: int, end: int, report: Report) -> None:
    """Members must follow each other from the first byte to the directory."""
    at = start
    for begin, stop, name in sorted(spans):
        if begin != at:
            word = "overlaps another member" if begin < at else "comes after bytes of no member"
            report.doubt("container", f"{name} {word}", begin)
        at = max(at, stop)
    if at != end:
        report.doubt("container", "has bytes of no member before its directory", at)
