"""Letters of a licence text that look like others, or that nobody sees, and other scripts."""

from __future__ import annotations

import re
import unicodedata

# Cyrillic and Greek letters that look like Latin ones (Unicode's confusables, by eye alike).
_ALIKE = str.maketrans(
    "\u0430\u0432\u0441\u0435\u04bb\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u051b\u0455\u0442"
    "\u0443\u0445\u051d\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405"
    "\u0422\u0423\u0425\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4"
    "\u03a5\u03a7\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5",
    "abcehijkmhopqstyxwABCEHIJKMOPSTYXABEZHIKMNOPTYXaiknopu",
)
_ASCII = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")
_CLAIM = re.compile(r"copyright|\(c\)|\xa9", re.IGNORECASE)
_FEW = 4  # letters of another script in a line that are no sentence
_NAME = 20  # and beside a claim of copyright: the names of its holders


def plain(text: str) -> str:
    """Return a text with letters as they look: nothing invisible, no styled or borrowed ones.

    Lines stay where they are.
    """
    if text.isascii():
        return text
    return _WORD.sub(lambda m: _folded(m[0]), "".join(map(_seen, text)))


def _seen(sign: str) -> str:
    if sign < "\x80":
        return sign
    if unicodedata.category(sign) == "Cf":
        return ""
    if "\uff01" <= sign <= "\uff5e" or "\U0001d400" <= sign <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", sign)
    return sign


def _folded(word: str) -> str:
    if word.isascii():
        return word
    folded = word.translate(_ALIKE)
    return folded if folded.isascii() or _ASCII.search(word) else word


def foreign(text: str) -> tuple[tuple[int, str], ...]:
    """Return (1-based line, line) of what is written in other scripts than Latin.

    A word of it, and the names of holders, are not meant.
    """
    if text.isascii():
        return ()
    return tuple(
        (number, line.strip())
        for number, line in enumerate(text.split("\n"), 1)
        if not line.isascii() and sum(map(_other, line)) >= (_NAME if _CLAIM.search(line) else _FEW)
    )


def _other(sign: str) -> bool:
    return sign > "\u024f" and sign.isalpha() and "LATIN" not in unicodedata.name(sign, "")
