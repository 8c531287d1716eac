"""Whether bytes are a pickle: its opcodes are walked, never executed."""

from __future__ import annotations

from security.scan.source import of_bytes
from security.scan.walk import IMPORTS, STOP, Broken, walk

MAX_OPS = 20_000
_CALLS = frozenset(b"Ro\x81\x92b")  # REDUCE OBJ NEWOBJ NEWOBJ_EX BUILD
_INST = frozenset(b"i(")  # INST needs a MARK, and calls


def is_pickle(data: bytes, *, hinted: bool) -> bool:
    """Whether an unpickler would take these first bytes of a file.

    From protocol 2 on a pickle says so. Older ones, and ones that leave the mark out, look like
    text: without a name that hints at a pickle they must import, call and come to their end.
    """
    marked = len(data) > 2 and data[0] == 0x80 and data[1] <= 5
    names, stopped, whole = _walk(data)
    if marked:
        return len(names) > 1
    imports = not IMPORTS.isdisjoint(names)
    if not hinted:
        calls = not _CALLS.isdisjoint(names) or set(names) >= _INST
        return stopped and imports and calls
    return stopped or imports or (whole and len(names) > 2)


def _walk(data: bytes) -> tuple[list[int], bool, bool]:
    """Return the opcodes, whether STOP was met, whether only the end of data was."""
    names: list[int] = []
    try:
        for _, code in walk(of_bytes("", data), 0, len(data)):
            names.append(code)
            if len(names) >= MAX_OPS:
                return names, False, True
    except Broken as broken:
        return names, False, broken.cut
    return names, names[-1:] == [STOP], True
