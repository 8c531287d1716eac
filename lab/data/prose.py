"""Plain text: pieces of whole lines, or of whole words where a line is very long."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from lab.data.records import FIX, Bounded, Limits, Record
from lab.errors import DataError

PIECE = 1 << 18  # bytes


def pieces(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield a text in pieces that cut no word; UTF-16 is known by its mark."""
    line, kept = 1, ""
    for text in _decoded(source):
        if "\0" in text:
            where = line + (kept + text[: text.index("\0")]).count("\n")
            raise DataError("holds a NUL byte: no text", FIX, line=where)
        kept += text
        # A word that is hyphenated at the end of a line goes on in the next.
        cut = max(kept.rfind("\n\n"), kept.rfind(" ")) + 1 or (len(kept) > 4 * PIECE) * len(kept)
        if cut:
            yield Record(line, (kept[:cut],), prose=True)
            line += kept.count("\n", 0, cut)
            kept = kept[cut:]
    if kept.strip():
        yield Record(line, (kept,), prose=True)


def _decoded(source: Bounded) -> Iterator[str]:
    first = source.read(PIECE)
    wide = first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    encoding = "utf-16" if wide else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        while first:
            text = decoder.decode(first)
            line += text.count("\n")
            yield text
            first = source.read(PIECE)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += first.count(b"\n", 0, error.start)
        raise DataError(f"not {encoding.removesuffix('-sig').upper()}", FIX, line=line) from error
