"""Two models compared tensor by tensor: what changed in the layout, then by how much.

The base may be None: then only the health of the head's numbers is looked at. Nothing is
loaded; numpy is imported when the first number is needed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice

from lab.tensors.layout import Place, chunks, equal
from lab.tensors.values import Diff, Kind, Shift

KEPT = 1_000  # shifts that are kept
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "shared.weight", "word_embeddings.weight")
TABLES = 8
NO_NUMPY = "numpy is not installed (pip install 'modelwarden[model]')"
_ORDER = (Kind.CHANGED, Kind.RETYPED, Kind.RESHAPED, Kind.REMOVED, Kind.ADDED, Kind.RENAMED)


def compare(base: Mapping[str, Place] | None, head: Mapping[str, Place], limit: int) -> Diff:
    """Compare, reading at most about `limit` bytes. Raises InvalidSafetensors, Unreadable."""
    reading = _Reading(limit)
    if base is None:
        shifts = [reading.fresh(Kind.ADDED, place) for place in head.values()]
        # A new tensor is worth a line only where something about it is odd or unknown.
        shifts = [s for s in shifts if s.doubt or (s.health and _odd(s))]
        same = 0
    else:
        shifts = list(reading.shifts(base, head))
        shared = head.keys() & base.keys()
        same = len(shared) - sum(shift.name in shared for shift in shifts)
    shifts.sort(key=_rank)
    counts = Counter(str(shift.kind) for shift in shifts)
    return Diff(
        len(head),
        same,
        tuple(shifts[:KEPT]),
        max(0, len(shifts) - KEPT),
        tuple(sorted(counts.items())),
        _embeddings(head),
        reading.spent,
    )


def _embeddings(head: Mapping[str, Place]) -> tuple[tuple[str, int], ...]:
    """Return the rows of the tables of tokens; a model has few."""
    shapes = ((name, place.tensor.shape) for name, place in sorted(head.items()))
    tables = (
        (name, shape[0]) for name, shape in shapes if name.endswith(EMBEDDINGS) and len(shape) == 2
    )
    return tuple(islice(tables, TABLES))


def _odd(shift: Shift) -> bool:
    health = shift.health
    return health is not None and bool(health.nans or health.infinities or health.zero)


def _rank(shift: Shift) -> tuple[bool, float, int, str]:
    numbers = shift.numbers
    size = float("inf") if numbers and numbers.relative is None else -1.0
    if numbers and numbers.relative is not None:
        size = numbers.relative
    return not _odd(shift), -size, _ORDER.index(shift.kind), shift.name


class _Reading:
    """Reads what it may; what goes beyond `limit` is not measured, and says so."""

    def __init__(self, limit: int) -> None:
        self._limit, self.spent = limit, 0
        self._numbers = find_spec("numpy") is not None

    def _may(self, size: int) -> bool:
        if self.spent + size > self._limit:
            return False
        self.spent += size
        return True

    @property
    def _beyond(self) -> str:
        return f"beyond the {self._limit:,} bytes that are compared"

    def shifts(self, base: Mapping[str, Place], head: Mapping[str, Place]) -> Iterator[Shift]:
        """Yield what is not the same."""
        gone = {name: base[name] for name in base.keys() - head.keys()}
        new = {name: head[name] for name in head.keys() - base.keys()}
        renamed = self._renamed(gone, new)
        for name, was in sorted(renamed.items()):
            yield Shift(name, Kind.RENAMED, gone[was].form, new[name].form, was)
        known = frozenset(renamed.values())
        for name in sorted(gone.keys() - known):
            yield Shift(name, Kind.REMOVED, before=gone[name].form)
        for name in sorted(new.keys() - renamed.keys()):
            yield self.fresh(Kind.ADDED, new[name])
        for name in sorted(base.keys() & head.keys()):
            shift = self._shared(base[name], head[name])
            if shift is not None:
                yield shift

    def fresh(self, kind: Kind, place: Place, before: str = "") -> Shift:
        """A tensor whose numbers have nothing to be compared with."""
        shift = Shift(place.tensor.name, kind, before, place.form)
        if doubt := self._unmeasured(place, place.size):
            return replace(shift, doubt=doubt)
        from lab.tensors.measure import measure

        return replace(shift, health=measure(None, place)[2])

    def _unmeasured(self, place: Place, size: int) -> str:
        """Return why numbers will not be measured, or "" and spend what that reads."""
        if not self._numbers:
            return NO_NUMPY
        from lab.tensors.measure import measurable

        if not measurable(place.tensor.dtype):
            return f"{place.tensor.dtype} packs several numbers into a byte"
        return "" if self._may(size) else self._beyond

    def _shared(self, base: Place, head: Place) -> Shift | None:
        one = (base.tensor.dtype, base.tensor.shape) == (head.tensor.dtype, head.tensor.shape)
        shift = Shift(head.tensor.name, Kind.CHANGED, base.form, head.form)
        if one:
            if not self._may(2 * head.size):
                return replace(shift, doubt=self._beyond)
            if equal(base, head):
                return None
        elif base.tensor.shape != head.tensor.shape:
            return self.fresh(Kind.RESHAPED, head, base.form)
        else:
            shift = replace(shift, kind=Kind.RETYPED)
        doubt = self._unmeasured(base, 0) or self._unmeasured(head, base.size + head.size)
        if "C64" in (base.tensor.dtype, head.tensor.dtype) and not one:
            doubt = doubt or "complex and real numbers are not compared"
        if doubt:
            return replace(shift, doubt=doubt)
        from lab.tensors.measure import measure

        numbers, before, after = measure(base, head)
        return replace(shift, numbers=numbers, health=after, health_before=before)

    def _renamed(self, gone: Mapping[str, Place], new: Mapping[str, Place]) -> dict[str, str]:
        """Return new name -> old name of equal bytes under another name."""
        waiting: dict[tuple[str, tuple[int, ...]], list[str]] = defaultdict(list)
        for name, place in sorted(gone.items()):
            waiting[place.tensor.dtype, place.tensor.shape].append(name)
        digests: dict[bytes, list[str]] = defaultdict(list)
        hashed: set[tuple[str, tuple[int, ...]]] = set()
        found: dict[str, str] = {}
        for name, place in sorted(new.items()):
            form = (place.tensor.dtype, place.tensor.shape)
            if form not in waiting or not place.size:
                continue
            if form not in hashed:
                hashed.add(form)
                for old in waiting[form]:
                    if self._may(gone[old].size):
                        digests[_digest(gone[old])].append(old)
            if self._may(place.size) and (same := digests.get(_digest(place))):
                found[name] = same.pop(0)
        return found


def _digest(place: Place) -> bytes:
    digest = hashlib.sha256(f"{place.form}\n".encode())
    for chunk in chunks(place):
        digest.update(chunk)
    return digest.digest()
