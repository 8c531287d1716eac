"""The files that a task is made from: read only through what the caller opens, and noted."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable

from lab.errors import SuiteError


class Files:
    """Reads files by their path from the root, and remembers the digest of each.

    `opened` raises FileNotFoundError where there is no such file.
    """

    def __init__(self, opened: Callable[[str], bytes]) -> None:
        self._opened = opened
        self._digests: dict[str, str] = {}

    def read(self, path: str) -> bytes:
        """Return a file that must be there. Raises SuiteError."""
        data = self.find(path)
        if data is None:
            raise SuiteError("there is no such file", "add it, or correct its path", file=path)
        return data

    def find(self, path: str) -> bytes | None:
        """Return a file, or None where there is none. Raises SuiteError."""
        try:
            data = self._opened(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SuiteError(f"cannot be read: {reason}", "make it readable", file=path) from error
        self._digests[path] = hashlib.sha256(data).hexdigest()
        return data

    def digest(self) -> str:
        """Return the digest of everything read so far."""
        lines = (f"{digest} {path}\n" for path, digest in sorted(self._digests.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def inside(folder: str, name: str) -> str | None:
    """Return the path of `name` as seen from `folder`; None where it leaves the root."""
    if name.startswith("/") or "\\" in name or not name.isprintable():
        return None
    path = posixpath.normpath(posixpath.join(folder, name))
    return None if path == ".." or path.startswith("../") else path
