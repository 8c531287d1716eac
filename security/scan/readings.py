"""Every way in which the bytes of one file may be read: a loader picks one, an attacker which."""

from __future__ import annotations

from security import unpack
from security.scan import packed, walk
from security.scan.source import Source
from security.sniff import PREFIX, Format, is_pickle_name, sniff

TAIL = 22 + 65_535  # bytes in which the end record of a zip must lie
HDF5 = b"\x89HDF\r\n\x1a\n"
BLOCK = 512  # bytes of a tar header
ZIPS = frozenset({Format.ZIP, Format.TORCH_ZIP})


def readings(source: Source) -> tuple[Format, ...]:
    """Return the format a file shows first, then every other one it can be read as."""
    prefix = source.read(0, PREFIX)
    first = _outermost(prefix, sniff(prefix, source.base), source.base)
    if _is_tar(prefix[:BLOCK]) and not prefix.startswith(HDF5):
        first = Format.TAR  # what lies in it is judged member by member
    if first is Format.UNKNOWN and source.base.endswith(".onnx"):
        first = Format.ONNX  # fields come in any order: no first bytes are sure
    found = [first]
    if first not in ZIPS and first is not Format.TAR and _ends_as_zip(source):
        found.append(Format.ZIP)
    if first is not Format.HDF5 and _is_hdf5(source, first):
        found.append(Format.HDF5)
    if first is not Format.ONNX and source.base.endswith(".onnx"):
        found.append(Format.ONNX)
    if first is not Format.TEXT and source.base.endswith(_TEXTS):
        found.append(Format.TEXT)
    if first is not Format.PICKLE and first is not Format.EMPTY and walk.may_import(source):
        found.append(Format.PICKLE)
    return tuple(found)


_TEXTS = (".json", ".jinja", ".jinja2", ".yaml", ".yml")
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", *(magic for magic, _ in packed.UNREADABLE))


def _outermost(prefix: bytes, found: Format, name: str) -> Format:
    """Correct `sniff`, which names what a packed file holds: here it is unpacked as a whole."""
    if prefix.startswith(_PACKED):
        return Format.COMPRESSED
    # Deflate can be written in letters alone; what is read by its first bytes is named so.
    text = found is Format.TEXT and (is_pickle_name(name) or name.endswith((".z", ".zlib")))
    if (text or found in (Format.PICKLE, Format.UNKNOWN)) and _is_zlib(prefix):
        return Format.COMPRESSED
    if found is Format.UNKNOWN and prefix.startswith(b"\x93NUMPY"):
        return Format.NUMPY
    return found


def _is_zlib(prefix: bytes) -> bool:
    """Whether a bare zlib stream (RFC 1950, 2.2) or one of LZMA begins here, and unpacks."""
    if prefix.startswith(b"\x5d\x00\x00"):
        return bool(unpack.lzma_head(prefix))
    return bool(unpack.zlib_head(prefix))


def _ends_as_zip(source: Source) -> bool:
    """Whether a reader of zips, which begins at the end, finds a directory."""
    start = max(0, source.size - TAIL)
    tail = source.read(start, TAIL)
    at = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, at)) >= 0:
        count, size = int.from_bytes(tail[at + 10 : at + 12], "little"), tail[at + 12 : at + 16]
        directory = start + at - int.from_bytes(size, "little")
        wide = at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07"
        if wide or (count == 0 and len(tail) - at >= 22 and not any(tail[at + 4 : at + 20])):
            return True
        if directory >= 0 and source.read(directory, 4) == b"PK\x01\x02":
            return True
    return False


def _is_tar(block: bytes) -> bool:
    """Whether the first block is a tar header: its checksum holds, whatever its magic says.

    Readers take the sum of signed bytes as well, and numbers as `int` does or in base 256: what
    one of them may take for a tar is one (tarfile.py: `nti`, `calc_chksums`).
    """
    if len(block) < BLOCK:
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    sums = (total, total - 256 * sum(byte > 0x7F for byte in rest))
    field = block[148:156]
    if field[0] in (0o200, 0o377):
        value = int.from_bytes(field[1:], "big")
        return (value if field[0] == 0o200 else value - 256**7) in sums
    digits = field.split(b"\0", 1)[0].strip() or field.strip(b" \0")
    try:
        return bool(digits) and int(digits, 8) in sums
    except ValueError:
        return False


def _is_hdf5(source: Source, first: Format) -> bool:
    """Whether the signature lies at 0, 512, 1024, ...: a user block may precede it."""
    at = 2 * BLOCK if first is Format.TAR else BLOCK  # its first member begins there
    while at < source.size:
        if source.read(at, 8) == HDF5:
            return True
        at *= 2
    return False
