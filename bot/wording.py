"""How messages count things, and what they take a misspelt word for."""

from __future__ import annotations

from collections.abc import Iterable


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2 files"; `many` is given where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def nearest(word: str, words: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the word most like it, "" where none is close."""
    from rapidfuzz import process  # only errors need it

    found = process.extractOne(word, list(words), score_cutoff=60)
    return f"; did you mean '{found[0]}'?" if found else ""
