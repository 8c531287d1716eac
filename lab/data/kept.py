"""Sketches as text, in parts: what a cache of JSON values can keep."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from lab.data.sketch import Sketch

PART = 20_000  # records


@dataclass(frozen=True, slots=True)
class Part:
    """Sketches of some records as base64 of little-endian arrays; `parts` are all there are."""

    lines: str
    digests: str
    bands: str
    width: int
    parts: int


def divided(whole: Sketch) -> tuple[Part, ...]:
    """Return a sketch in parts, one at least."""
    count = max(1, -(-len(whole.lines) // PART))
    found = []
    for number in range(count):
        some = slice(number * PART, (number + 1) * PART)
        arrays = whole.lines[some], whole.digests[some], whole.bands[some]
        coded = [a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays]
        lines, digests, bands = (base64.b64encode(data).decode("ascii") for data in coded)
        found.append(Part(lines, digests, bands, whole.bands.shape[1], count))
    return tuple(found)


def joined(parts: Sequence[Part]) -> Sketch:
    """Return the sketch that was divided."""
    import numpy as np

    coded = zip(*((p.lines, p.digests, p.bands) for p in parts), strict=True)
    lines, digests, bands = (b"".join(map(base64.b64decode, texts)) for texts in coded)
    return Sketch(
        np.frombuffer(lines, "<i8").astype(np.int64),
        np.frombuffer(digests, "<u8").astype(np.uint64),
        np.frombuffer(bands, "<u4").astype(np.uint32).reshape(-1, parts[0].width),
    )
