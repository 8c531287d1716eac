"""Names of files inside of files: which stay beside the model, and which lead away."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def leaves(path: str) -> str:
    """Say how a name of a file leads out of the model's folder; "" where it stays inside."""
    if not path or "\0" in path:
        return "is empty or holds a zero byte"
    if path.startswith(("/", "\\", "~")):
        return "is absolute"
    if _SCHEME.match(path):
        return "is an address or names a drive"
    if ".." in re.split(r"[/\\]", path):
        return "goes to a parent folder"
    if "\\" in path:
        return "holds a backslash, which some systems take for a folder"
    return "" if path.isprintable() else "holds characters that do not print"
