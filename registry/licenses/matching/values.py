"""What is found in a text: known licences, each with what was added, changed and left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that differ from the known text, on a 1-based line of the file.

    `text` is as the file says it (bounded); of words left out it is what stood around the gap.
    `count` is in words.
    """

    line: int
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Match:
    """One known licence in a text.

    `ids` share the words of that text, the plain reading first; `family` holds near relatives
    with terms of their own (llama3.1). `first` and `last` are 1-based lines. `coverage` is the
    share of the known text's words that are there, 0 to 1. What is optional in the known text,
    who holds the copyright and layout are no difference; every other word is.
    """

    ids: tuple[str, ...]
    family: str
    first: int
    last: int
    coverage: float
    added: tuple[Passage, ...] = ()
    dropped: tuple[Passage, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether no word differs."""
        return not self.added and not self.dropped
