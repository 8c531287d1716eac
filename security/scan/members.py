"""Names of the members of an archive: plain, relative, and each there once."""

from __future__ import annotations

import re

from security.scan.values import Report

_DRIVE = re.compile(r"[A-Za-z]:")


class Names:
    """The names of one archive so far."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: set[str] = set()

    def add(self, name: str, offset: int) -> None:
        """Note what is wrong with one more name."""
        parts = name.removesuffix("/").split("/")
        if name.startswith("/") or "\\" in name or _DRIVE.match(name) or ".." in parts:
            self._report.threat("container", f"{name} leaves the folder", offset)
        elif "." in parts or "" in parts:
            self._report.doubt("container", f"{name} is no plain name", offset)
        # Some loaders look for names whatever their case.
        key = name.removesuffix("/").casefold()
        if key in self._seen:
            self._report.doubt("container", f"{name} is there twice", offset)
        self._seen.add(key)
