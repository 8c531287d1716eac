"""Well-known package names, and which of them a new name could be mistaken for."""

from __future__ import annotations

import functools
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 6  # letters: shorter names are one edit apart by chance
_DIGITS = str.maketrans("", "", "0123456789")


@functools.cache
def _well_known() -> dict[str, str]:
    # From the name without separators to the name, the most downloaded first.
    text = Path(__file__).with_name("popular.txt").read_text(encoding="ascii")
    found: dict[str, str] = {}
    for name in text.split():
        found.setdefault(_flat(name), name)
    return found


@functools.cache
def _by_length() -> dict[int, list[str]]:
    # One edit changes the length by one at most, so few names need to be compared.
    found: dict[int, list[str]] = {}
    for name in _well_known():
        found.setdefault(len(name), []).append(name)
    return found


@functools.cache
def _popular() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("popular.txt").read_text("ascii").split())


def is_popular(name: str) -> bool:
    """Whether a canonical name is itself well known."""
    return name in _popular()


def resembled(name: str) -> str:
    """Return the well-known name that a canonical name is one edit or hyphen away from, or "".

    Names that differ in their digits alone are versions of one thing more often than bait.
    """
    flat = _flat(name)
    if len(flat) < SHORTEST or is_popular(name):
        return ""
    known = _well_known()
    if flat in known:
        return known[flat]
    plain = flat.translate(_DIGITS)
    near: set[str] = set()
    for length in range(max(len(flat) - 1, SHORTEST), len(flat) + 2):
        names = _by_length().get(length, [])
        found = process.extract(flat, names, scorer=OSA.distance, score_cutoff=1, limit=5)
        near |= {other for other, _, _ in found if other.translate(_DIGITS) != plain}
    return next((known[n] for n in known if n in near), "") if near else ""


def _flat(name: str) -> str:
    return name.replace("-", "")
