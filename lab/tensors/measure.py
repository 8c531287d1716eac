"""How much two tensors differ and what is odd about one, in one pass and bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from lab.tensors.decode import Array, decode, parts, raw, width
from lab.tensors.layout import CHUNK, Place
from lab.tensors.values import Health, Numbers

ROWS = 1_000_000  # rows of one tensor whose norms are kept
OUTLIER = 10.0  # times the median norm
NAMED = 5  # changed rows that are named
_LOW, _HIGH = 1e-20, 1e30  # sums of squares that float32 holds with its digits


def measurable(dtype: str) -> bool:
    """Whether numbers of this dtype can be read one by one."""
    return width(dtype) > 0


def measure(base: Place | None, head: Place) -> tuple[Numbers | None, Health | None, Health]:
    """Return the difference from a base of the same shape (or None), the health of both."""
    count = math.prod(head.tensor.shape) * parts(head.tensor.dtype)
    row = _row(head)
    new = _Side(count, row)
    old = _Side(count, row)
    gap = _Gap(count, row)
    with np.errstate(all="ignore"):  # a stranger's numbers may overflow; what does is left out
        for start, stop in _spans(count, row):
            after, after_bits = _numbers(head, start, stop)
            new.add(start, after)
            if base is not None:
                before, before_bits = _numbers(base, start, stop)
                old.add(start, before)
                same_kind = base.tensor.dtype == head.tensor.dtype
                unlike = before_bits != after_bits if same_kind else before != after
                gap.add(start, before, after, unlike)
    if base is None:
        return None, None, new.health(count)
    return gap.numbers(old.norm()), old.health(count), new.health(count)


def _row(place: Place) -> int:
    """Return the numbers in one row, 0 where rows are too many, too long or none."""
    shape = place.tensor.shape
    if len(shape) < 2 or shape[0] > ROWS or 0 in shape:
        return 0
    row = math.prod(shape[1:]) * parts(place.tensor.dtype)
    return row if row <= CHUNK else 0


def _spans(count: int, row: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of numbers, of whole rows where there are rows."""
    step = (CHUNK // 4 // row or 1) * row if row else CHUNK // 4
    for start in range(0, count, step):
        yield start, min(count, start + step)


def _numbers(place: Place, start: int, stop: int) -> tuple[Array, Array]:
    wide = width(place.tensor.dtype)
    data = place.read(start * wide, (stop - start) * wide)
    return decode(data, place.tensor.dtype), raw(data, place.tensor.dtype)


def _squares(rows: Array) -> Array:
    """Return the sum of squares of each row, NaN or infinite where a row holds such."""
    found = np.einsum("ij,ij->i", rows, rows)
    if rows.dtype == np.float32:
        top = float(found.max(initial=0))
        # float32 is twice as fast; beyond what it holds the sums are made again.
        if not _LOW < top < _HIGH or (found == 0).any():
            wide = rows.astype(np.float64)
            found = np.einsum("ij,ij->i", wide, wide)
    return np.asarray(found, np.float64)


class _Side:
    """One tensor's numbers, seen piece by piece."""

    def __init__(self, count: int, row: int) -> None:
        self._row, self._nans, self._infinities, self._norm = row, 0, 0, 0.0
        self._norms = np.zeros(count // row if row else 0)
        self._any = False

    def add(self, start: int, values: Array) -> None:
        rows = values.reshape(-1, self._row or len(values))
        squares = _squares(rows)
        if not np.isfinite(squares).all():
            squares = self._careful(rows)
        norms = np.sqrt(squares)
        self._norm = math.hypot(self._norm, *_pieces(norms))
        self._any = self._any or bool(norms.any())
        if self._row:
            first = start // self._row
            self._norms[first : first + len(norms)] = norms

    def _careful(self, rows: Array) -> Array:
        """Count what is not finite, and leave it and what overflows out."""
        finite = np.isfinite(rows)
        nans = int(np.isnan(rows).sum())
        self._nans += nans
        self._infinities += int((~finite).sum()) - nans
        self._any = self._any or not finite.all()
        squares = _squares(np.where(finite, rows, 0).astype(np.float64))
        return np.minimum(squares, np.finfo(np.float64).max)

    def norm(self) -> float:
        return self._norm

    def health(self, count: int) -> Health:
        zero = not self._any and count > 0
        if not self._row:
            return Health(self._nans, self._infinities, zero)
        norms = self._norms
        middle = float(np.median(norms))
        outliers = int((norms > OUTLIER * middle).sum()) if middle > 0 else 0
        return Health(self._nans, self._infinities, zero, int((norms == 0).sum()), outliers)


def _pieces(norms: Array) -> tuple[float, ...]:
    """Return the norm of these norms, scaled so that no square overflows."""
    top = float(norms.max(initial=0))
    return (top * math.sqrt(float(np.square(norms / top).sum())),) if top > 0 else ()


class _Gap:
    """The difference of two tensors, seen piece by piece."""

    def __init__(self, count: int, row: int) -> None:
        self._count, self._row = count, row
        self._norm, self._largest, self._unlike = 0.0, 0.0, 0
        self._rows = np.zeros(count // row if row else 0, bool)

    def add(self, start: int, before: Array, after: Array, unlike: Array) -> None:
        found = int(np.count_nonzero(unlike))
        if not found:
            return
        self._unlike += found
        gap = after - before
        largest = max(float(gap.max()), -float(gap.min()))
        if not math.isfinite(largest):
            gap = after.astype(np.float64) - before
            gap = np.where(np.isfinite(gap), gap, 0)
            largest = max(float(gap.max()), -float(gap.min()))
        self._largest = max(self._largest, largest)
        squares = _squares(gap.reshape(-1, self._row or len(gap)))
        self._norm = math.hypot(self._norm, *_pieces(np.sqrt(squares)))
        if self._row:
            rows = np.asarray(unlike.reshape(-1, self._row).any(axis=1))
            first = start // self._row
            self._rows[first : first + len(rows)] = rows

    def numbers(self, norm: float) -> Numbers:
        relative = self._norm / norm if norm > 0 else None
        if relative is not None and not math.isfinite(relative):
            relative = None
        rows = tuple(int(row) for row in np.flatnonzero(self._rows)[:NAMED])
        share = self._unlike / self._count if self._count else 0.0
        changed = int(self._rows.sum())
        return Numbers(relative, self._largest, share, rows, changed, len(self._rows))
