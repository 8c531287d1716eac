"""The METADATA of a wheel on a server, read by HTTP ranges without fetching the wheel."""

from __future__ import annotations

import io
import re
import zipfile

from packaging.utils import canonicalize_name

from registry.licenses.download import HINT, TIMEOUT, Answer, IndexUnavailable, get
from registry.licenses.metadata import METADATA_LIMIT
from registry.licenses.wheel import UNREADABLE, members

WHOLE_LIMIT = 20_000_000  # bytes of a wheel that is fetched whole: its server knows no ranges
READ_LIMIT = 6_000_000  # bytes read of one wheel by ranges: directory and METADATA
REQUESTS = 8  # for one wheel; most need one, large ones three
CHUNK = 65_536  # bytes asked for at least

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_METADATA = ".dist-info/METADATA"


def fetch_metadata(url: str, project: str, timeout: float = TIMEOUT) -> bytes:
    """Return the METADATA of a project's wheel on a server. Raises IndexUnavailable."""
    tail = get(url, "wheel", WHOLE_LIMIT, {"Range": f"bytes=-{CHUNK}"}, timeout)
    whole = tail.status != 206
    file = io.BytesIO(tail.data) if whole else _Remote(url, tail, timeout)
    try:
        with zipfile.ZipFile(file) as wheel:
            read = members(wheel, _folder(wheel, project))
            data = read("METADATA", METADATA_LIMIT)
    except UNREADABLE as error:
        raise IndexUnavailable("the wheel cannot be read", HINT) from error
    if data is None:
        raise IndexUnavailable("the wheel's METADATA is missing or too large", HINT)
    return data


def _folder(wheel: zipfile.ZipFile, project: str) -> str:
    """Return the wheel's metadata folder; its spelling may differ from the file name's."""
    paths = [n for n in wheel.namelist() if n.endswith(_METADATA) and n.count("/") == 1]
    folders = [path.partition("/")[0] for path in paths]
    if len(folders) == 1 and canonicalize_name(folders[0].partition("-")[0]) == project:
        return folders[0]
    return ""


class _Remote(io.RawIOBase):
    """A file on a server. What was fetched is kept; how much and how often is bounded."""

    def __init__(self, url: str, tail: Answer, timeout: float) -> None:
        self.url = url
        self.timeout = timeout
        self.position = 0
        start, self.size = _place(tail)
        self.parts = [(start, tail.data)]

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        if origin + offset < 0:
            raise OSError("before the start")
        self.position = origin + offset
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, size: int = -1, /) -> bytes:
        left = max(self.size - self.position, 0)
        size = left if size < 0 else min(size, left)
        start = self.position
        self.position += size
        if not size:
            return b""
        for first, data in self.parts:
            if first <= start and start + size <= first + len(data):
                return data[start - first : start - first + size]
        return self._fetch(start, min(max(size, CHUNK), self.size - start))[:size]

    def _fetch(self, start: int, length: int) -> bytes:
        spent = sum(len(data) for _, data in self.parts)
        if spent + length > READ_LIMIT or len(self.parts) >= REQUESTS:
            raise IndexUnavailable("the wheel's directory or METADATA is too large", HINT)
        wanted = {"Range": f"bytes={start}-{start + length - 1}"}
        part = get(self.url, "wheel", length, wanted, self.timeout)
        if part.status != 206 or _place(part) != (start, self.size) or len(part.data) != length:
            raise IndexUnavailable("the wheel's ranges do not fit together", HINT)
        self.parts.append((start, part.data))
        return part.data


def _place(part: Answer) -> tuple[int, int]:
    """Return where in the file a part starts, and the size of the file."""
    stated = _CONTENT_RANGE.fullmatch(part.headers.get("Content-Range", ""))
    first, last, size = (int(text) for text in stated.groups()) if stated else (0, 0, 0)
    if stated is None or last - first + 1 != len(part.data) or last >= size:
        raise IndexUnavailable("the wheel's ranges do not fit together", HINT)
    return first, size
