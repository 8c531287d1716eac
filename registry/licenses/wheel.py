"""The metadata files inside a wheel.

A wheel is hostile: what it says of its sizes is not believed, and nothing of it is unpacked.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable

MAX_MEMBERS = 100_000  # names in one wheel
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)

# The other methods unpack without a bound.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def members(wheel: zipfile.ZipFile, folder: str) -> Callable[[str, int], bytes | None]:
    """Return `read(name, limit)` for the files of a folder of the wheel; None where there is none.

    Raises zipfile.BadZipFile where the wheel lists a file twice or too many.
    """
    names = wheel.namelist()
    if len(names) > MAX_MEMBERS or len(names) != len(set(names)):
        raise zipfile.BadZipFile("lists a file twice, or too many")
    known = frozenset(names)

    def read(name: str, limit: int) -> bytes | None:
        path = f"{folder}/{name}"
        if path not in known or wheel.getinfo(path).compress_type not in _METHODS:
            return None
        with wheel.open(path) as member:
            data = member.read(limit + 1)  # the size a zip states may be a lie
        return data if len(data) <= limit else None

    return read
