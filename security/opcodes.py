"""Whether bytes are a pickle: its opcodes are walked, never executed."""

from __future__ import annotations

import pickletools

MAX_OPS = 20_000
_IMPORTS = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}
_CALLS = {"REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"}


def is_pickle(data: bytes, *, hinted: bool) -> bool:
    """Whether an unpickler would take these first bytes of a file.

    From protocol 2 on a pickle says so. Older ones, and ones that leave the mark out, look like
    text: without a name that hints at a pickle they must import, call and come to their end.
    """
    marked = len(data) > 2 and data[0] == 0x80 and data[1] <= 5
    names, stopped, whole = _walk(data)
    if marked:
        return len(names) > 1
    imports = not _IMPORTS.isdisjoint(names)
    if not hinted:
        calls = not _CALLS.isdisjoint(names) or {"INST", "MARK"} <= set(names)
        return stopped and imports and calls
    return stopped or imports or (whole and len(names) > 2)


def _walk(data: bytes) -> tuple[list[str], bool, bool]:
    """Return the opcode names, whether STOP was met, whether only the end of data was."""
    names: list[str] = []
    try:
        for opcode, _, _ in pickletools.genops(data):
            names.append(opcode.name)
            if len(names) >= MAX_OPS:
                return names, False, True
    except (ValueError, OverflowError) as error:
        # An argument cut off by the end of the prefix, or bytes that are no opcode.
        return names, False, "unknown" not in str(error)
    return names, True, True
