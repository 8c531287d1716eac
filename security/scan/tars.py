"""Tar archives of every kind: v7, ustar, GNU and pax (POSIX.1-2017, pax, "ustar Interchange")."""

from __future__ import annotations

from dataclasses import dataclass

from security.errors import Malformed, TooLarge
from security.scan.members import Names
from security.scan.source import Source
from security.scan.values import Report

BLOCK = 512
NAME = 65_536  # bytes of a long name or of extended headers
HINT = "pack it again with plain files alone"
_PLAIN, _FOLDER = (b"0", b"\0", b"7"), b"5"
# Extended headers that change where a member lies or what it is.
_HEAVY = ("GNU.sparse.", "SCHILY.realsize", "SCHILY.filetype", "size", "path", "linkpath")


@dataclass(frozen=True, slots=True)
class Header:
    """One header block."""

    name: str
    size: int
    kind: bytes
    link: str


def read(source: Source, report: Report) -> None:
    """Judge an archive and every member. Raises Malformed."""
    names = Names(report)
    at = count = 0
    long: dict[str, str] = {}
    while at < source.size:
        block = source.read(at, BLOCK)
        if not block.strip(b"\0"):
            _rest(source, at, report)
            return
        header = _header(block, source.name, report, at)
        start, at = at + BLOCK, at + BLOCK + -(-header.size // BLOCK) * BLOCK
        if start + header.size > source.size:
            report.doubt("broken", f"{header.name} goes on after the end", start)
            return
        count += 1
        if count > report.limits.members:
            raise TooLarge(f"{source.name}: more than {report.limits.members:,} members", HINT)
        if header.kind in (b"L", b"K", b"x", b"g"):
            long |= _extended(source, header, start, report)
            continue
        if "path" in long:
            header = Header(long["path"], header.size, header.kind, header.link)
        long = {}
        _member(source, header, start, names, report)
    report.doubt("broken", "has no end", at)


def _member(source: Source, header: Header, start: int, names: Names, report: Report) -> None:
    name = header.name
    plain = name.removeprefix("./")
    if header.kind == _FOLDER:
        if plain not in ("", "."):
            names.add(plain.rstrip("/") + "/", start)
        return
    names.add(plain, start)
    if header.kind in _PLAIN:
        report.inner(source.part(f"{source.name}!/{plain}", start, start + header.size))
    elif header.kind in (b"1", b"2"):
        report.threat("container", f"{name} is a link to {header.link}", start - BLOCK)
    elif header.kind in (b"3", b"4", b"6"):
        report.threat("container", f"{name} is a device or a pipe", start - BLOCK)
    else:
        what = f"{name} is of kind {ascii(header.kind)[2:-1]}, which readers differ on"
        report.doubt("container", what, start - BLOCK)


def _extended(source: Source, header: Header, start: int, report: Report) -> dict[str, str]:
    """Return the names that the next header gets from this one."""
    if header.size > NAME:
        raise TooLarge(f"{source.name}: {header.size:,} bytes of extended header", HINT)
    data = source.read(start, header.size)
    if header.kind == b"L":
        return {"path": data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")}
    if header.kind == b"K":
        return {}
    found = _records(data, source.name)
    for key in found:
        if key.startswith(_HEAVY) and (key != "path" or header.kind == b"g"):
            report.doubt("container", f"changes {key} by an extended header", start - BLOCK)
    return {"path": found["path"]} if "path" in found else {}


def _records(data: bytes, label: str) -> dict[str, str]:
    """Read the records of a pax header: "LENGTH KEY=VALUE LF"."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 8)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            raise Malformed(f"{label}: an extended header that breaks", HINT)
        end = at + int(digits)
        record = data[space + 1 : end]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or not record.endswith(b"\n") or end > len(data):
            raise Malformed(f"{label}: an extended header that breaks", HINT)
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "backslashreplace")
        at = end
    return found


def _header(block: bytes, label: str, report: Report, at: int) -> Header:
    if len(block) < BLOCK:
        raise Malformed(f"{label}: a header that is cut short", HINT)
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    if _octal(block[148:156], label) != total:
        raise Malformed(f"{label}: a header with a wrong checksum at byte {at:,}", HINT)
    name, prefix = (_text(part) for part in (block[:100], block[345:500]))
    kind = block[156:157]
    if prefix and block[257:263] == b"ustar\0":
        name = f"{prefix}/{name}"
    elif prefix:
        report.doubt("container", f"{name} has a prefix that readers differ on", at)
    if kind in _PLAIN and name.endswith("/"):  # before ustar, that was a folder
        kind = _FOLDER
    size = _number(block[124:136], label)
    if size and kind == _FOLDER:
        report.doubt("container", f"{name} is a folder of {size:,} bytes", at)
    return Header(name, 0 if kind in b"123456" else size, kind, _text(block[157:257]))


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _number(field: bytes, label: str) -> int:
    if field[0] == 0x80:  # GNU's binary numbers
        return int.from_bytes(field[1:], "big")
    return _octal(field, label)


def _octal(field: bytes, label: str) -> int:
    digits = field.split(b"\0", 1)[0].strip(b" ")
    if digits.strip(b"01234567"):
        raise Malformed(f"{label}: a number that is none", HINT)
    return int(digits or b"0", 8)


def _rest(source: Source, at: int, report: Report) -> None:
    """Nothing but zeros may follow the end."""
    while at < source.size:
        data = source.read(at, 1 << 20)
        if data.strip(b"\0"):
            report.doubt("trailing", "goes on after its end", at)
            return
        at += len(data)
