"""The weights of two releases compared tensor by tensor, for `release show --diff`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.quoting import plain
from bot.releasing.approving import room
from bot.releasing.comparing import laid_out
from bot.releasing.job import Place
from lab.tensors.values import Diff, Shift
from registry.release.values import Release
from registry.release.weightsdiff import between as compare

SHOWN = 20
MOST_GB = 10_000.0


@dataclass(frozen=True, slots=True)
class Difference:
    """Two releases' weights."""

    old: str
    new: str
    diff: Diff

    @property
    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @property
    def text(self) -> str:
        """As lines for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        found = self.diff
        yield f"weights of {self.new} against {self.old}: {found.same:,} tensors are the same"
        for shift in found.shifts[:SHOWN]:
            yield f"  {_line(shift)}"
        more = len(found.shifts) + found.more - SHOWN
        if more > 0:
            yield f"  ... and {more:,} more"


def between(there: Place, old: Release, new: Release) -> Difference:
    """Compare two releases, their weights proven. Raises Blocked, RegistryError."""
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=room(there)) as place:
        sides = [
            laid_out(there.world, one, there.commit, Path(place, side), MOST_GB).folder
            for side, one in (("old", old), ("new", new))
        ]
        return Difference(old.version, new.version, compare(sides[0], sides[1]))


def _line(shift: Shift) -> str:
    form = " -> ".join(dict.fromkeys(filter(None, (shift.before, shift.after))))
    return f"{shift.kind.value} {plain(shift.name)} {form}{_moved(shift)}"


def _moved(shift: Shift) -> str:
    found = shift.numbers
    if found is None:
        return f" ({plain(shift.doubt)})" if shift.doubt else ""
    far = "" if found.relative is None else f", norm of the change {found.relative:.2%}"
    return f", {found.share:.1%} of its numbers{far}"
