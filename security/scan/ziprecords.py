"""The records of a zip archive, as they stand: APPNOTE.TXT 6.3.10, 4.3.7 to 4.3.16."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from security.errors import Malformed, TooLarge
from security.scan.source import Source
from security.scan.values import Report

TAIL = 22 + 65_535  # bytes in which the end record lies
STORED, DESCRIPTOR = 0, 0x8
_END = struct.Struct("<4s4H2IH")
_WIDE_END = struct.Struct("<4sQ2H2I4Q")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_UNICODE_PATH = 0x7075
HINT = "pack it again with the library of its format"


@dataclass(frozen=True, slots=True)
class Member:
    """One central record. `offset` is that of the local record; `kind` the file type of Unix."""

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    kind: int


def central(source: Source, report: Report) -> tuple[tuple[Member, ...], int, int]:
    """Return the central records, where the archive starts, and where its directory does.

    Raises Malformed, TooLarge.
    """
    at, fields = _end(source, report)
    count, size, offset = fields
    start = at - size - offset
    if start < 0 or size > at:
        raise Malformed(f"{source.name}: its directory lies outside of it", HINT)
    if start:
        report.doubt("container", f"begins after {start:,} bytes of something else", start)
    if count > report.limits.members or size > report.limits.text:
        raise TooLarge(f"{source.name}: {count:,} members in {size:,} bytes of directory", HINT)
    data = source.read(start + offset, size)
    members = []
    position = 0
    while position < len(data):
        member, position = _record(data, position, start, source.name, report)
        members.append(member)
        if len(members) > count:
            break
    if len(members) != count:
        raise Malformed(f"{source.name}: {len(members):,} members where {count:,} are said", HINT)
    return tuple(members), start, start + offset


def _end(source: Source, report: Report) -> tuple[int, tuple[int, int, int]]:
    """Return where the directory ends, and (members, its size, its offset)."""
    base = max(0, source.size - TAIL)
    tail = source.read(base, TAIL)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise Malformed(f"{source.name}: no end record", HINT)
    _, disk, first, here, count, size, offset, comment = _END.unpack_from(tail, at)
    if at + 22 + comment != len(tail):
        report.doubt("container", "goes on after its end record", base + at)
    if comment and tail.count(b"PK\x05\x06") > 1:
        report.doubt("container", "has more than one end record", base + at)
    if disk or first or here != count:
        raise Malformed(f"{source.name}: a part of an archive in several files", HINT)
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        return _wide(source, base + at - 20, (count, size, offset))
    return base + at, (count, size, offset)


def _wide(
    source: Source, locator: int, narrow: tuple[int, int, int]
) -> tuple[int, tuple[int, int, int]]:
    """Read the ZIP64 end record, which must say what the old one says, as far as that can."""
    record = source.read(max(0, locator - _WIDE_END.size), _WIDE_END.size)
    at = int.from_bytes(source.read(locator + 8, 8), "little")
    where = locator - _WIDE_END.size
    if len(record) < _WIDE_END.size or not record.startswith(b"PK\x06\x06"):
        raise Malformed(f"{source.name}: no ZIP64 end record before its locator", HINT)
    _, length, _, _, disk, first, here, count, size, offset = _WIDE_END.unpack(record)
    wide = (count, size, offset)
    same = all(
        old in (new, limit)
        for old, new, limit in zip(narrow, wide, (_MAX16, _MAX32, _MAX32), strict=True)
    )
    if length != _WIDE_END.size - 12 or disk or first or here != count or not same or at > where:
        raise Malformed(f"{source.name}: its two end records differ", HINT)
    return where, wide


def _record(data: bytes, at: int, start: int, label: str, report: Report) -> tuple[Member, int]:
    if len(data) - at < _CENTRAL.size or not data.startswith(b"PK\x01\x02", at):
        raise Malformed(f"{label}: its directory breaks", HINT)
    fields = _CENTRAL.unpack_from(data, at)
    _, made, _, flags, method, _, _, crc, packed, size, length, extra, comment = fields[:13]
    disk, _, outer, offset = fields[13:]
    at += _CENTRAL.size
    raw, more = data[at : at + length], data[at + length : at + length + extra]
    end = at + length + extra + comment
    if end > len(data) or disk:
        raise Malformed(f"{label}: its directory breaks", HINT)
    size, packed, offset = _widened(more, (size, packed, offset), label, report)
    kind = (outer >> 16) & 0o170000 if made >> 8 in (3, 19) else 0
    name = raw.decode("utf-8" if flags & 0x800 else "cp437", "backslashreplace")
    return Member(name, raw, flags, method, crc, packed, size, start + offset, kind), end


def _widened(
    extra: bytes, values: tuple[int, int, int], label: str, report: Report
) -> tuple[int, int, int]:
    """Put the wide values of the ZIP64 field in place of those that are all ones (4.5.3)."""
    found = list(values)
    at = 0
    wide: bytes | None = None
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if kind == 1 and wide is not None:
            raise Malformed(f"{label}: two ZIP64 fields of one member", HINT)
        if kind == 1:
            wide = body
        elif kind == _UNICODE_PATH:
            report.doubt("container", "gives a member a second name")
        at += 4 + length
    position = 0
    for index, value in enumerate(values):
        if value == _MAX32 and wide is not None:
            if position + 8 > len(wide):
                raise Malformed(f"{label}: a ZIP64 field too short", HINT)
            found[index] = int.from_bytes(wide[position : position + 8], "little")
            position += 8
    return found[0], found[1], found[2]


def data_start(source: Source, member: Member, report: Report) -> int | None:
    """Compare the local record with the central one; return where the data begins."""
    head = source.read(member.offset, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
        report.doubt("container", f"{member.name} has no local record", member.offset)
        return None
    _, _, flags, method, _, _, crc, packed, size, length, extra = _LOCAL.unpack(head)
    names = source.read(member.offset + _LOCAL.size, length + extra)
    values = _widened(names[length:], (size, packed, 0), source.name, report)
    said = (crc, values[1], values[0])
    known = (member.crc, member.packed, member.size)
    later = bool(flags & DESCRIPTOR) and all(a in (0, b) for a, b in zip(said, known, strict=True))
    if names[:length] != member.raw:
        report.doubt(
            "container", f"{member.name} has another name in its own record", member.offset
        )
    if flags != member.flags or method != member.method:
        what = f"{member.name} has other flags or another method in its own record"
        report.doubt("container", what, member.offset)
    if said != known and not later:
        what = f"{member.name} has another size or checksum in its own record"
        report.doubt("container", what, member.offset)
    start: int = member.offset + _LOCAL.size + length + extra
    if start + member.packed > source.size:
        report.doubt("container", f"{member.name} goes on after the end", member.offset)
    return start
