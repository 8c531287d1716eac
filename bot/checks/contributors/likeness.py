"""Whether two names may be one person's. In doubt they are: only plainly unlike ones are told."""

from __future__ import annotations

import unicodedata

from bot.checks.contributors.tools import fold

_SHARED = 3  # letters that two names have in common to be alike


def alike(one: str, other: str) -> bool:
    """Whether two names may be of one person: a shared word, initials, or a login in one of them.

    Logins and names in different scripts cannot be compared with names, so they are alike.
    """
    first, second = _words(one), _words(other)
    if not first or not second or not (_proper(one) and _proper(other)):
        return True
    if _latin(first) != _latin(second) or set(first) & set(second):
        return True
    joined, whole = "".join(first), "".join(second)
    if joined in whole or whole in joined:
        return True
    if _initials(first) == whole or _initials(second) == joined:
        return True
    return any(len(w) >= _SHARED and w in whole for w in first) or any(
        len(w) >= _SHARED and w in joined for w in second
    )


def full(name: str) -> bool:
    """Whether a name is whole enough to tell a person by: two words, or no Latin letters."""
    words = _words(name)
    return len(words) > 1 or (bool(words) and not _latin(words))


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", fold(name))
    letters = (c if c.isalnum() else "" if unicodedata.combining(c) else " " for c in plain)
    return "".join(letters).split()


def _proper(name: str) -> bool:
    """Whether it is written as a name, not as a login: no digits, each word in a capital."""
    words = name.split()
    login = len(words) == 1 and any(c.isupper() for c in name[1:])  # as in SerVB
    return not login and not set(name) & set("0123456789_") and all(map(_capital, words))


def _capital(word: str) -> bool:
    first = next((c for c in word if c.isalpha()), "")
    return not first.islower()


def _latin(words: list[str]) -> bool:
    return any(c.isascii() and c.isalpha() for w in words for c in w)


def _initials(words: list[str]) -> str:
    return "".join(w[0] for w in words)
