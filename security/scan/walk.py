"""The opcodes of a pickle by their lengths alone: where they lie, never what they do."""

from __future__ import annotations

from collections.abc import Iterator

from security.scan.source import Source

CHUNK = 1 << 16
PROBE = 1 << 20  # bytes that are walked before the dry run has to decide
IMPORTS = frozenset(b"ci\x93\x82\x83\x84")  # GLOBAL INST STACK_GLOBAL EXT1 EXT2 EXT4
LINE = 32 << 20  # bytes of one line; a longer one is for the dry run to read

_PLAIN = b".(012NRabdeo]lstu)}\x85\x86\x87\x81\x88\x89Q\x8f\x90\x91\x92\x94\x97\x98"
# Argument lengths: -1 one line, -2 two; 256 + n: n bytes hold the length of what follows.
LENGTHS: dict[int, int] = dict.fromkeys(_PLAIN, 0)
LENGTHS |= dict.fromkeys(b"FILSVgpP", -1) | dict.fromkeys(b"ci", -2) | {0x93: 0}
LENGTHS |= dict.fromkeys(b"Khq\x80\x82", 1) | dict.fromkeys(b"M\x83", 2)
LENGTHS |= dict.fromkeys(b"Jjr\x84", 4) | {ord("G"): 8, 0x95: 8}
LENGTHS |= dict.fromkeys(b"UC\x8a\x8c", 257) | dict.fromkeys(b"TXB\x8b", 260)
LENGTHS |= dict.fromkeys(b"\x8d\x8e\x96", 264)
STACK_GLOBAL = 0x93
STOP = ord(".")


class Broken(Exception):
    """A byte that is no opcode or, if `cut`, an argument that the bytes do not hold.

    `long` is a line whose end was not looked for any further.
    """

    def __init__(self, *, cut: bool, long: bool = False) -> None:
        super().__init__("cut" if cut else "no opcode")
        self.cut = cut
        self.long = long


def walk(source: Source, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (offset, opcode) of one pickle up to its STOP or `end`. Raises Broken."""
    at = start
    base, data = start, source.read(start, CHUNK)
    while at < end:
        index = at - base
        if index + 9 > len(data) and base + len(data) < source.size:
            base, data, index = at, source.read(at, CHUNK), 0
        if index >= len(data):
            raise Broken(cut=True)
        code = data[index]
        length = LENGTHS.get(code)
        if length is None:
            raise Broken(cut=False)
        yield at, code
        if code == STOP:
            return
        if length < 0:
            at = _lines(source, at + 1, -length)
        elif length < 256:
            at += 1 + length
        else:
            width = length - 256
            count = int.from_bytes(data[index + 1 : index + 1 + width], "little")
            at += 1 + width + count
        if at > source.size:
            raise Broken(cut=True)


def _lines(source: Source, at: int, count: int) -> int:
    for _ in range(count):
        start, size = at, 256
        while True:
            line = source.read(at, size)
            end = line.find(b"\n")
            if end >= 0:
                break
            at += len(line)
            if at - start > LINE:
                raise Broken(cut=True, long=True)
            if not line:
                raise Broken(cut=True)
            size = CHUNK
        at += end + 1
    return at


def may_import(source: Source) -> bool:
    """Whether an unpickler given this file would come to an import, as far as can be seen."""
    try:
        for at, code in walk(source, 0, source.size):
            if code == STACK_GLOBAL and not at:  # of no names: the first byte of NumPy's magic
                return False
            if code in IMPORTS or at > PROBE:
                return True
    except Broken as broken:
        return broken.long
    return False


def imports(source: Source, start: int, end: int) -> Iterator[int]:
    """Yield the offset of every import of one pickle, as far as it can be walked."""
    try:
        yield from (at for at, code in walk(source, start, end) if code in IMPORTS)
    except Broken:
        return
