"""Entries for a ledger that others write too: where it moved on meanwhile, they are made again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.errors import Lost
from registry.release.ledger import Book, Ledger, New, Tag

TRIES = 8  # each that fails is an entry of somebody else's
PAUSE = 0.3  # seconds at most, times the number of the try


@dataclass(frozen=True, slots=True)
class Entries:
    """What is to be written at once."""

    news: Sequence[New]
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    tags: Sequence[Tag] = ()


def written(book: Book, made: Callable[[Ledger], Entries | None]) -> Ledger:
    """Write what `made` says to a ledger as it is now, None for nothing; return what is after.

    Raises what `made` and the book raise; Lost only where the ledger itself says no, or others
    were faster so often.
    """
    for number in range(1, TRIES + 1):
        ledger = book.ledger()
        entries = made(ledger)
        if entries is None:
            return ledger
        try:
            return book.append(entries.news, entries.files, expect=ledger.head, tags=entries.tags)
        except Lost:
            if number == TRIES or book.ledger().head == ledger.head:
                raise
            time.sleep(random.uniform(0, PAUSE) * number)  # noqa: S311 - jitter
    raise AssertionError("unreachable")
