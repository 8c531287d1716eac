"""The digest of several files at once, as `sha256sum` would make it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def listing(files: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of the lines "hex  path" of (path, hex), sorted by the path's bytes."""
    found = hashlib.sha256()
    for path, digest in sorted(files, key=lambda file: file[0].encode()):
        found.update(f"{digest}  {path}\n".encode())
    return found.hexdigest()
