"""A known text laid beside a part of the text: which words are the same, which are not."""

from __future__ import annotations

from dataclasses import dataclass

_STRAY = 3  # words: fewer at an edge are chance
_FAR = 12  # words between them and the rest
_VERY_FAR = 60  # where the known text has none between


@dataclass(frozen=True, slots=True)
class Gap:
    """Words `start` up to `end` of the text stand for `first` up to `last` of the known one."""

    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the known text stands (`start` up to `end`) and how it differs there."""

    start: int
    end: int
    same: int
    gaps: tuple[Gap, ...]


def align(known: str, words: str, start: int, end: int) -> Alignment | None:
    """Lay the known words beside `words` from `start` up to `end`; None where nothing is alike."""
    from rapidfuzz.distance import LCSseq

    whole = words.find(known, start, end)
    if whole >= 0:
        return Alignment(whole, whole + len(known), len(known), ())
    # Unknown words are alike only by their letter, which no known text has.
    blocks = [
        (start + block.b, block.a, block.size)
        for block in LCSseq.opcodes(known, words[start:end]).as_matching_blocks()
        if block.size
    ]
    blocks = _without_strays(_compact(blocks, known, words))
    if not blocks:
        return None
    gaps = []
    text, place = blocks[0][0], 0
    for begin, first, size in (*blocks, (blocks[-1][0] + blocks[-1][2], len(known), 0)):
        if begin > text or first > place:
            gaps.append(Gap(text, begin, place, first))
        text, place = begin + size, first + size
    same = sum(size for _, _, size in blocks)
    return Alignment(blocks[0][0], text, same, tuple(gaps))


def _compact(
    blocks: list[tuple[int, int, int]], known: str, words: str
) -> list[tuple[int, int, int]]:
    """Return the blocks with beginning and end drawn to the rest, where they are said there too.

    Of two copies of an ending the longest common sequence may hold the far one.
    """
    for at in range(len(blocks) - 1):
        text, place, size = blocks[at]
        end, first = text + size, place + size
        if blocks[at + 1][0] > end and words[end] == known[first]:
            rest = known[first:]
            if words.startswith(rest, end):
                blocks = [*blocks[:at], (text, place, size + len(rest))]
                break
    for at in range(len(blocks) - 1, 0, -1):
        text, place, size = blocks[at]
        start = text - place
        near = place and words[text - 1] == known[place - 1]
        apart = start >= 0 and blocks[at - 1][0] + blocks[at - 1][2] < text
        if near and apart and words[start:text] == known[:place]:
            return [(start, 0, place + size), *blocks[at + 1 :]]
    return blocks


def _without_strays(blocks: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return the blocks less those few words at either end that lie far from the rest."""
    while len(blocks) > 1 and _is_stray(blocks[0], blocks[1]):
        blocks = blocks[1:]
    while len(blocks) > 1 and _is_stray(blocks[-1], blocks[-2]):
        blocks = blocks[:-1]
    return blocks


def _is_stray(edge: tuple[int, int, int], inner: tuple[int, int, int]) -> bool:
    early, late = sorted((edge, inner))
    gap = late[0] - early[0] - early[2]
    whole = early[1] + early[2] == late[1]  # a statement of copyright may stand between
    return edge[2] <= _STRAY and gap > (_VERY_FAR if whole else min(_FAR, 2 * edge[2]))
