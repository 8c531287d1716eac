"""Items of evaluation sets as word sequences to look for, and which of them say anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.data.words import words

LEAST = 8  # words of a sequence that is looked for anywhere; GPT-3 (arXiv:2005.14165, C) has 8-13
EQUAL = 4  # words of a text that must be all of a training text to count
EQUAL_BYTES = 20
VARIED, LETTERED = 6, 3  # different words of a sequence, and those that are no number
TEMPLATE = 10  # items (or half of few) that may share a sequence; in more it is their template


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an evaluation set: `source` is its suite or file, `id` its id or line."""

    source: str
    id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needle:
    """An item's words as one text, and what to look for of them.

    `starts` are the words at which its n-grams begin, `wholes` shorter sequences as (start,
    length). `equal` is a text too short for that: it counts where a training text is just it.
    """

    item: Item
    text: bytes
    size: int
    starts: tuple[int, ...]
    wholes: tuple[tuple[int, int], ...]
    equal: bytes


def needles(items: Iterable[Item], n: int) -> tuple[Needle, ...]:
    """Return what to look for of each item: its n-grams, or shorter it whole.

    Items of the same words are looked for once.
    """
    found: dict[bytes, Needle] = {}
    for item in items:
        parts = [words(text) for text in item.texts]
        whole = [word for part in parts for word in part]
        text = b" ".join(whole)
        if text not in found:
            starts = range(len(whole) - n + 1)
            found[text] = Needle(
                item,
                text,
                len(whole),
                tuple(start for start in starts if _says_much(whole[start : start + n])),
                *_wholes(parts, whole, n),
            )
    return tuple(found.values())


def _wholes(
    parts: Sequence[list[bytes]], whole: list[bytes], n: int
) -> tuple[tuple[tuple[int, int], ...], bytes]:
    """Return the item and its longest text where they are short, and the text to be equal to."""
    longest = max(range(len(parts)), key=lambda place: len(parts[place]), default=-1)
    if longest < 0:
        return (), b""
    spans = {(0, len(whole)), (sum(map(len, parts[:longest])), len(parts[longest]))}
    text = b" ".join(parts[longest])
    return (
        tuple(
            (start, size)
            for start, size in sorted(spans)
            if LEAST <= size < n and _says_much(whole[start : start + size])
        ),
        text if EQUAL <= len(parts[longest]) < LEAST and len(text) >= EQUAL_BYTES else b"",
    )


def _says_much(sequence: list[bytes]) -> bool:
    """Whether a sequence is more than counting, or a word over and over."""
    different = set(sequence)
    if len(different) < VARIED:
        return False
    return sum(not word.isdigit() for word in different) >= LETTERED
