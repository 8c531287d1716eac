"""What is proven of the fast way on one model, and which rows prove the rest. No torch.

A proof is kept with the model: what one task has proven, the next one uses. It is of two kinds,
rows that follow a header and rows that follow none, and each needs at least 16 rows that were
scored both ways, from more than one tree: a cache that one tree spoils shows in the next.
The longest row of all is among them, since sliding windows and scaled positions show in long
rows only. Where a long header makes every row cost a read of it, a few rows are read whole and
the others after the last tokens of their header alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from lab.scoring.rows import Row, alike

PROOF = 16  # rows of each kind that are scored both ways
TREES = 2  # trees that they are from
WHOLE = 3  # inputs read whole beside the longest, where headers are long
CUT = 48  # tokens of a header that the other rows keep


@dataclass(slots=True)
class Seen:
    """What was scored both ways: rows, the trees they are from, tokens of the longest."""

    rows: int = 0
    trees: int = 0
    longest: int = 0

    @property
    def done(self) -> bool:
        """Whether only what is longer is still to be proven."""
        return self.rows >= PROOF and self.trees >= TREES

    def add(self, rows: int, longest: int) -> None:
        """Count rows of one more tree."""
        self.rows += rows
        self.trees += 1
        self.longest = max(self.longest, longest)


@dataclass(slots=True)
class Proof:
    """What was seen on one model; `gap` is the largest difference, in nats, of a row.

    Once `broken`, the fast way is not used again.
    """

    headed: Seen = field(default_factory=Seen)
    alone: Seen = field(default_factory=Seen)
    gap: float | None = None
    broken: bool = False

    def of(self, row: Row) -> Seen:
        """Return what was seen of the row's kind."""
        return self.headed if row.header else self.alone


def to_prove(seen: Seen, rows: Sequence[Row]) -> tuple[list[int], list[Row]]:
    """Return which of the rows, all of one kind, to score both ways, and shorter ones besides.

    The rows stand in the order in which trees hold them.
    """
    inputs = alike(rows)
    if not inputs:
        return [], []
    longest = inputs[0]
    if seen.done and len(rows[longest[0]].ids) <= seen.longest:
        return [], []
    least = PROOF - seen.rows
    count = -(-least // min(map(len, inputs)))
    long = min(row.header for row in rows) > CUT
    spread = _evenly(sorted(inputs), min(count, WHOLE) if long else count)
    whole = list(dict.fromkeys(n for same in [longest, *spread] for n in same))
    others = (row for n, row in enumerate(rows) if long and n not in set(whole))
    return whole, [_cut(row) for row in islice(others, max(0, least - len(whole)))]


def _evenly(inputs: list[list[int]], count: int) -> list[list[int]]:
    """Return so many of them, the first and the last among them: they are of different trees."""
    count, last = min(count, len(inputs)), len(inputs) - 1
    return [inputs[n * last // max(1, count - 1)] for n in range(count)]


def _cut(row: Row) -> Row:
    return replace(row, ids=row.ids[row.header - CUT :], header=CUT)
