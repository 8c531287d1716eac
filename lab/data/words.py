"""A text as its words: what stays the same when it is wrapped, quoted, re-cased or re-encoded.

NFKC and case folding of Unicode; hyphens and apostrophes go, with a line break after a hyphen;
every other sign only separates. A character of a script written without spaces is a word of its
own.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# A word broken at the end of a line goes on in the next, behind what quotes or comments it out.
_BREAK = re.compile(r"-\r?\n[ \t>|#*/]*(?=\w)")
_OTHER = re.compile(r"[\W_]+")
_ALONE = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_ASCII = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256)
)
_GONE = ("'", "-", "\u00ad", "\u02bc", "\u2018", "\u2019", "\u200b", "\u200c", "\u200d", "\u2060",
         "\ufeff")  # fmt: skip
# Signs of well-set text that is ASCII otherwise, as what makes the same words of it.
_SET = (("\u2019", "'"), ("\u2018", "'"), ("\u201c", " "), ("\u201d", " "), ("\u2013", " "),
        ("\u2014", " "), ("\u2026", " "), ("\u2022", " "), ("\u00a0", " "))  # fmt: skip
_PLANES = 0x1F000  # no combining mark lies beyond
_MARKS = 30  # on one letter; UAX #15 calls text with no more of them stream-safe


def words(text: str) -> list[bytes]:
    """Return the words of a text in UTF-8; time is linear in it."""
    if not text.isascii():
        for sign, plain in _SET:
            text = text.replace(sign, plain)
    if text.isascii():
        return _joined(text).encode().translate(_ASCII, b"'-").split()
    # Normalising sorts the marks on a letter, in quadratic time.
    text = _marks().sub(lambda run: run[0][:_MARKS], text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _joined(text.replace("\u2010", "-"))  # NFKC makes it of U+2011
    for sign in _GONE:
        text = text.replace(sign, "")
    return _ALONE.sub(r" \1 ", _OTHER.sub(" ", text)).encode().split()


def _joined(text: str) -> str:
    """Return the text without breaks in words; of hyphens only single ones are left."""
    # "well-known", "well-\nknown" and a word broken by a hyphen are alike; two are a dash.
    if "-" not in text:
        return text
    text = text.replace("--", " ")
    return _BREAK.sub("", text) if "-\n" in text or "-\r" in text else text


@lru_cache(maxsize=1)
def _marks() -> re.Pattern[str]:
    """Match more marks in a row than a letter has in any language."""
    marks = "".join(c for c in map(chr, range(_PLANES)) if unicodedata.combining(c))
    return re.compile(f"[{re.escape(marks)}]{{{_MARKS + 1},}}")
