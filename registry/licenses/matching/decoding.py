"""Bytes as text, or an error: text that was decoded wrongly is compared with nothing."""

from __future__ import annotations

import codecs
import re

from registry.errors import UnreadableText

_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDER = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# What no licence holds: a text with it is none, or is in another encoding.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_HIGH = re.compile(r"[\x80-\xff]")
# Signs of other encodings, of UTF-8 that is broken elsewhere too.
_OTHER = re.compile(r"[\x80-\xff]{3}|[\xc2-\xdf][\x80-\xbf]")
_LETTERS, _FREE = 20, 4  # of so many letters of Western text at most one is not ASCII, and a few
_HINT = "store the text as UTF-8"


def decoded(data: bytes) -> str:
    """Return the text that these bytes are: UTF-8, UTF-16 that says so, or Windows-1252.

    Old licence files are Latin-1 for one sign of copyright or a holder's name. Only such are
    read as Windows-1252 (which the WHATWG encoding standard reads Latin-1 as); one with more
    letters beyond ASCII is in an encoding that is not known. A mark of byte order is left out.
    Raises UnreadableText for what is no text, or may not be the text it looks like.
    """
    text = _text(data)
    if _CONTROL.search(text):
        raise UnreadableText("it holds control characters, as no text does", _HINT)
    return text


def _text(data: bytes) -> str:
    if data.startswith(_WIDER):
        raise UnreadableText("it is UTF-32", _HINT)
    for mark, encoding in _WIDE:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableText("it is broken UTF-16", _HINT) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _western(data)
        if text is None:
            raise UnreadableText("it is not UTF-8 text", _HINT) from error
        return text


def _western(data: bytes) -> str | None:
    if data.startswith(codecs.BOM_UTF8):
        return None
    latin = data.decode("latin-1")
    many = (len(_HIGH.findall(latin)) - _FREE) * _LETTERS > len(latin)
    if many or _OTHER.search(latin):
        return None
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return None
