"""A licence that other text cuts in two: found in two parts, and one licence all the same."""

from __future__ import annotations

import re
from dataclasses import replace

from registry.licenses.matching import Match, Passage, quoted

_WHOLE = 0.98  # of the known text: that much the two parts hold together
_WORD = re.compile(r"[^\W_]+")


def joined(text: str, found: tuple[Match, ...]) -> tuple[Match, ...]:
    """Return the matches of a text, the beginning and the end of one licence as one match.

    What stands between is added to it, beside the sentences there that restrict. A beginning
    that comes twice, or an end before its beginning, stays in parts.
    """
    kept: list[Match] = []
    for one in found:
        whole = _whole(text, kept[-1], one) if kept else None
        if whole is None:
            kept.append(one)
        else:
            kept[-1] = whole
    return tuple(kept)


def _whole(text: str, early: Match, late: Match) -> Match | None:
    if early.ids != late.ids or early.coverage + late.coverage < _WHOLE:
        return None
    if early.first == early.last or late.first == late.last:
        return None  # where a part ends is told by lines
    after = [gap for gap in early.dropped if gap.line >= early.last]
    before = [gap for gap in late.dropped if gap.line <= late.first]
    if not after or not before:
        return None
    between = "\n".join(text.split("\n")[early.last - 1 : late.first])
    foreign = Passage(early.last, quoted(between), len(_WORD.findall(between)))
    return replace(
        early,
        last=late.last,
        coverage=min(1.0, early.coverage + late.coverage),
        added=(*early.added, foreign, *late.added),
        dropped=tuple(g for g in (*early.dropped, *late.dropped) if g not in after + before),
    )
