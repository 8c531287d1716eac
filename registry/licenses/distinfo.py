"""The metadata folder of a distribution: its fields, the licence texts beside them.

Light on purpose: an environment whose packages were read before is walked with this alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

TEXT_LIMIT = 500_000  # bytes of one licence text
METADATA_LIMIT = 2_000_000  # bytes of one METADATA file
MAX_FILES = 64  # licence files of one package that are looked at
_FILE = re.compile(rb"^License-File:(.{1,1000})$", re.IGNORECASE | re.MULTILINE)
_USUAL = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE.rst", "COPYING", "LICENCE")
_EMPTY = re.compile(rb"\n\r?\n|\r\r")


@dataclass(frozen=True, slots=True)
class Claim:
    """The licence expression of a package, or "" and the reason why there is none.

    `disagrees` says what the metadata states where the text that is believed says otherwise.
    """

    license: str = ""
    reason: str = ""
    disagrees: str = ""


def headers(data: bytes) -> bytes:
    """Return the fields without the description after them: the first empty line ends them."""
    end = _EMPTY.search(data)
    return data[: end.end()] if end else data


def files_of(headers: bytes) -> tuple[str, ...]:
    """Return the licence files that a METADATA file names, else their usual names."""
    names = tuple(name.decode("utf-8", "replace").strip() for name in _FILE.findall(headers))
    return names[:MAX_FILES] or _USUAL


def texts_of(files: Sequence[str], read: Callable[[str, int], bytes | None]) -> tuple[bytes, ...]:
    """Return the licence texts a package ships; `read(path, limit)` is in its metadata folder."""
    found = []
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            continue
        data = read(f"licenses/{name}", TEXT_LIMIT) or read(name, TEXT_LIMIT)
        if data is not None:
            found.append(data)
            if files is _USUAL:
                break
    return tuple(found)
