"""Text of strangers in a message: one printable line, without passwords."""

from __future__ import annotations

import re

_USER = re.compile(r"://[^/@\s]*@")
LENGTH = 120


def shown(text: str) -> str:
    """Return text that fits a message: printable, short, credentials of URLs left out."""
    text = _USER.sub("://***@", text[: 4 * LENGTH])
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
