"""A text as its words: what stays the same when it is wrapped, quoted, re-cased or re-encoded.

NFKC and case folding of Unicode; hyphens and apostrophes inside words go, with a line break after
a hyphen; every other sign only separates. A character of a script written without spaces is a
word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Deleting the hyphen makes "well-known", "well-\nknown" and a hyphenated word all the same.
# What may stand before the text of a quoted or commented line goes with the break.
_HYPHEN = re.compile(r"-(?:[ \t]*\r?\n[ \t>|#*/]*)?(?=\w)")
_OTHER = re.compile(r"[\W_]+")
_ALONE = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_ASCII = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256)
)
_SIGNS = {
    **dict.fromkeys((0xAD, 0x27, 0x2BC, 0x2018, 0x2019, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)),
    **dict.fromkeys((0x2010, 0x2011, 0x2D), "-"),
}
_PLANES = 0x1F000  # no combining mark lies beyond
_MARKS = 30  # on one letter; UAX #15 calls text with no more of them stream-safe


def words(text: str) -> list[bytes]:
    """Return the words of a text in UTF-8; time is linear in it."""
    if text.isascii():
        if "-" in text:
            text = _HYPHEN.sub("", text)
        return text.encode().translate(_ASCII, b"'").split()
    # Normalising sorts the marks on a letter, in quadratic time.
    text = _marks().sub(lambda run: run[0][:_MARKS], text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _OTHER.sub(" ", _HYPHEN.sub("", text.translate(_SIGNS)))
    return _ALONE.sub(r" \1 ", text).encode().split()


@lru_cache(maxsize=1)
def _marks() -> re.Pattern[str]:
    """Match more marks in a row than a letter has in any language."""
    marks = "".join(c for c in map(chr, range(_PLANES)) if unicodedata.combining(c))
    return re.compile(f"[{re.escape(marks)}]{{{_MARKS + 1},}}")
