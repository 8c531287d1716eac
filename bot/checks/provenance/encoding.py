"""What the lines of a source file say in their encoding, and where it cannot be told."""

from __future__ import annotations

import codecs

from bot import added
from registry.errors import UnreadableText
from registry.licenses.matching import decoded

_MARKED = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_CONTROLS = bytes({*range(9), *range(14, 27), *range(28, 32)})
_PRINTABLE = bytes({9, 10, 12, 13, *range(32, 127)})
_BINARY = 50  # one control character in so many bytes: no text of any encoding
_LEAST = 16  # bytes that show a text of two bytes a letter


def lines(data: bytes) -> list[str]:
    """Return the lines of UTF-8; one that is not is read as the Western text of old files."""
    try:
        return data.decode().split("\n")
    except UnicodeDecodeError:
        return [_line(line) for line in data.split(b"\n")]


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def lost(before: bytes | None, after: bytes) -> int:
    """Return the first added line (1-based) whose encoding cannot be told, 0 where all can.

    A file that is binary by its bytes has no lines; a text of two bytes a letter without the
    mark of it is none that can be told.
    """
    if added.text(after) is None:
        return int(before != after and _is_wide(after))
    marked = after.startswith(_MARKED)
    if not marked and _is_binary(after):
        return 0
    for run in added.runs(before, after):
        if line := _broken(run.data, marked=marked):
            return run.line + line - 1
    return 0


def _broken(data: bytes, *, marked: bool) -> int:
    """Return the first line that is no text, 0 for none."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        try:
            decoded(data)
        except UnreadableText:
            return data.count(b"\n", 0, error.start) + 1
        return 0
    at = text.find("\ufffd") if marked else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 0


def _is_binary(data: bytes) -> bool:
    """Whether what is no text has control characters, as no text of any encoding has."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        head = data[start : start + added.SNIFFED]
        controls = len(head) - len(head.translate(None, _CONTROLS))
        return controls * _BINARY > len(head)
    return False


def _is_wide(data: bytes) -> bool:
    """Whether this is ASCII in two bytes a letter, which looks binary by its zeros."""
    head = data[: added.SNIFFED // 2 * 2]
    for zeros, letters in ((head[1::2], head[::2]), (head[::2], head[1::2])):
        if len(letters) >= _LEAST and not zeros.strip(b"\0"):
            return letters.isascii() and not letters.translate(None, _PRINTABLE)
    return False
