"""Copies of a text with some characters made alike, byte for byte: where anchors are looked for."""

from __future__ import annotations

from security.secrets.values import Space

_DIGITS = b"0123456789"
_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_SHAPE = bytes.maketrans(_DIGITS + _CAPITALS, b"0" * 10 + b"A" * 26)
_HEX = bytes.maketrans(_DIGITS + b"abcdefABCDEF", b"0" * 22)


class Spaces:
    """One text in each space, made when it is asked for."""

    __slots__ = ("_made", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._made: dict[Space, bytes] = {}

    def of(self, space: Space) -> bytes:
        """Return the text as a space has it: of the same length."""
        if space is Space.EXACT:
            return self._text
        if space not in self._made:
            self._made[space] = _made(self._text, space)
        return self._made[space]


def _made(text: bytes, space: Space) -> bytes:
    if space is Space.LOWER:
        return text.lower()
    return text.translate(_SHAPE if space is Space.SHAPE else _HEX)
