"""What a comparison of two models finds, as plain values; every number is finite."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a tensor of the head relates to the base."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RESHAPED = "reshaped"
    RETYPED = "retyped"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Health:
    """What is odd about one tensor's numbers. `outliers` are rows whose norm is more than ten
    times the median norm of the rows; rows count along the first axis."""

    nans: int = 0
    infinities: int = 0
    zero: bool = False
    zero_rows: int = 0
    outliers: int = 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """How much two tensors of one shape differ.

    `relative` is the L2 norm of the difference over that of the base, None where the base is
    zero; `largest` the largest absolute difference; `share` the part of elements that differ.
    Elements that are not finite on both sides count in `share` alone. `rows` names the first
    changed rows of `changed_rows` (of `of_rows`; 0 where rows were not counted).
    """

    relative: float | None
    largest: float
    share: float
    rows: tuple[int, ...] = ()
    changed_rows: int = 0
    of_rows: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """One tensor that is not what it was: `before` and `after` are dtype and shape, "" for none.

    `was` is the old name of a renamed one; `doubt` says why its numbers were not measured.
    """

    name: str
    kind: Kind
    before: str = ""
    after: str = ""
    was: str = ""
    numbers: Numbers | None = None
    health: Health | None = None
    health_before: Health | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """Two models compared: `tensors` of the head were looked at, `same` of them are equal.

    `shifts` begins with the largest difference; `more` were found and not kept. `counts` has
    the number of shifts of each kind, `floats` that of the shared tensors with measured numbers.
    `read` is bytes.
    """

    tensors: int = 0
    same: int = 0
    shifts: tuple[Shift, ...] = ()
    more: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    embeddings: tuple[tuple[str, int], ...] = ()
    read: int = 0
