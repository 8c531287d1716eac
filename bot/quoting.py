"""A stranger's text, made fit for one line of a message."""

from __future__ import annotations

SHOWN = 120  # characters


def plain(text: object) -> str:
    """Return the text without control characters, cut to a readable length."""
    whole = str(text)
    shown = printable(whole[:SHOWN])
    return shown + "..." if len(whole) > SHOWN else shown


def printable(text: str) -> str:
    """Return the text with each control character as a question mark."""
    return "".join(c if c.isprintable() else "?" for c in text)
