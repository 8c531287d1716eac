"""What the words of a script can become, as far as its own assignments say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from registry.manifests.shellwords import Piece, Word

Values = Mapping[str, tuple[str, ...]]  # what a variable may hold; one without an entry: anything
CHOICES = 32  # values that one word or variable may have
LENGTH = 10_000  # characters of one value
_GAP = "\x01"  # parts fields; a script that holds it as text has it taken out
_BUILT = re.compile(r"\s*(?:ls|find|echo)\b[^|;&]*\.(?:whl|tar\.gz)['\"\s)]*(?:\||$)")
_OPEN = re.compile("\0([^\0]*)\0")


@dataclass(frozen=True, slots=True)
class Slot:
    """One argument and its line: one text, or several where a variable has several values."""

    texts: tuple[str, ...]
    line: int

    @property
    def text(self) -> str:
        """The first of its texts."""
        return self.texts[0]


def open_piece(name: str) -> str:
    """Return the stand-in for a value that nobody here knows."""
    return f"\0{name}\0"


def is_open(text: str) -> bool:
    """Whether a part of the text is not known."""
    return "\0" in text


def said(text: str) -> str:
    """Return the text with unknown values written as variables again."""
    return _OPEN.sub(lambda m: f"${{{m[1]}}}", text)


def closed(text: str) -> str:
    """Return the text without its unknown parts."""
    return _OPEN.sub("", text)


def whole(word: Word, values: Values) -> tuple[str, ...]:
    """Return what an assignment of this word may assign: fields are not parted."""
    return tuple(dict.fromkeys(t.replace(_GAP, " ") for t in _expanded(word, values)))


def slots(words: tuple[Word, ...], values: Values) -> Iterator[Slot]:
    """Yield the arguments that words become."""
    for word in words:
        quoted = any(p.quoted for p in word.pieces)
        rows = []
        for text in _expanded(word, values):
            rows.append([f for f in text.split(_GAP) if f or (quoted and _GAP not in text)])
        if all(len(row) == 1 for row in rows):
            yield Slot(tuple(dict.fromkeys(row[0] for row in rows)), word.line)
        else:
            for field in dict.fromkeys(f for row in rows for f in row):
                yield Slot((field,), word.line)


def _expanded(word: Word, values: Values) -> list[str]:
    texts = [""]
    for piece in word.pieces:
        parts = _values(piece, values)
        written = piece.kind == "text" and len(texts) == 1
        long = any(len(t) + len(p) > LENGTH for t in texts for p in parts)
        if not written and (long or len(parts) * len(texts) > CHOICES):
            parts = (open_piece(piece.text[:40]),)
            texts = [t if len(t) <= LENGTH else parts[0] for t in texts]
        texts = [t + p for t in texts for p in parts]
    return texts


def _values(piece: Piece, values: Values) -> tuple[str, ...]:
    if piece.kind == "text":
        text = piece.text.replace(_GAP, "")
        return (text if piece.quoted else text.replace(" ", _GAP),)
    if piece.kind == "command" and _BUILT.match(piece.text):
        return ("./*.whl",)  # a wheel that was just built, whatever its version
    if piece.kind == "command":
        return (open_piece(f"({piece.text[:80].strip()})"),)
    name = piece.text.removeprefix("env.")
    known = values.get(name) or values.get(piece.text)
    if known is None and piece.default is not None:
        known = (piece.default,)
    if known is None:
        return (open_piece(name),)
    if piece.quoted:
        return known
    return tuple(_parted(value) for value in known)


def _parted(value: str) -> str:
    inner = _GAP.join(value.split())
    head = _GAP if value[:1].isspace() else ""
    return head + inner + (_GAP if value[-1:].isspace() and inner else "")
