"""Sketches of records: an exact digest, and MinHash bands that near-duplicates share.

MinHash: Broder 1997; bands: Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.data.records import Record
from lab.data.words import words
from lab.errors import NoReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Shingles = NDArray[np.uint32]

SHINGLE = 3  # words
LEAST = 8  # words of a record whose likeness says anything
EXACT = 4  # words of a record that may not come twice
HASHES = 126
SEED = 42
SURE = 0.995  # of pairs right at the threshold that share a band
_BATCH = 4_000  # records
_FACTORS = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93


@dataclass(frozen=True, slots=True)
class Sketch:
    """Sketches of a file's records, row by row.

    `digests` are 0 for records too short to compare; `bands` are rows of 32-bit keys, all 0
    where a record is only compared as a whole.
    """

    lines: NDArray[np.int64]
    digests: NDArray[np.uint64]
    bands: NDArray[np.uint32]


def rows_of(threshold: float) -> int:
    """Return the rows of a band: as many as still find SURE of the pairs at the threshold."""
    for rows in range(9, 1, -1):
        if 1 - (1 - threshold**rows) ** (HASHES // rows) >= SURE:
            return rows
    return 1


def sketch(records: Iterable[Record], threshold: float) -> Sketch:
    """Sketch records; pieces of prose are one document. Raises NoReader without its library."""
    import numpy as np

    rows = rows_of(threshold)
    lines: list[int] = []
    digests: list[int] = []
    bands: list[NDArray[np.uint32]] = []
    batch: list[list[bytes]] = []
    for line, found in documents(records):
        lines.append(line)
        digests.append(_digest(found))
        batch.append(found)
        if len(batch) == _BATCH:
            bands.append(_bands(batch, rows))
            batch = []
    bands.append(_bands(batch, rows))
    return Sketch(np.array(lines, np.int64), np.array(digests, np.uint64), np.concatenate(bands))


def documents(
    records: Iterable[Record], rows: frozenset[int] | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the line and the words of each record that can be read; no words but of `rows`."""
    prose: list[bytes] = []
    row = 0
    for record in records:
        if record.trouble:
            continue
        wanted = record.prose or rows is None or row in rows
        found = [word for text in record.texts for word in words(text)] if wanted else []
        if record.prose:
            prose += found
        else:
            yield record.line, found
            row += 1
    if prose:
        yield 1, prose


def shingles(found: Sequence[list[bytes]]) -> list[Shingles]:
    """Return the sorted hashes of each record's shingles, the same on every machine."""
    import numpy as np

    hashes, ends = _hashed(found)
    starts = [0, *ends[:-1]]
    return [
        np.unique(hashes[start : max(start + 1, end - SHINGLE + 1)]).astype(np.uint32)
        if end > start
        else np.empty(0, np.uint32)
        for start, end in zip(starts, ends, strict=True)
    ]


def _digest(found: list[bytes]) -> int:
    if len(found) < EXACT:
        return 0
    return int.from_bytes(hashlib.blake2b(b" ".join(found), digest_size=8).digest()) or 1


def _hashed(found: Sequence[list[bytes]]) -> tuple[NDArray[np.uint64], list[int]]:
    """Return a 32-bit hash of the shingle at each word, and where each record ends."""
    import numpy as np

    flat = [word for some in found for word in some]
    ends = np.cumsum([len(some) for some in found]).tolist() if found else []
    one = np.fromiter(map(zlib.crc32, flat), np.uint64, len(flat))
    total = np.zeros(len(flat), np.uint64)
    padded = np.concatenate([one, np.zeros(SHINGLE, np.uint64)])
    for step in range(SHINGLE):
        total = total * np.uint64(_FACTORS[0]) + padded[step : step + len(flat)]
    total ^= total >> np.uint64(32)
    total *= np.uint64(_FACTORS[1])
    return total >> np.uint64(32), ends


def _bands(batch: Sequence[list[bytes]], rows: int) -> NDArray[np.uint32]:
    import numpy as np

    bands = HASHES // rows
    keys = np.zeros((len(batch), bands), np.uint32)
    long = [place for place, found in enumerate(batch) if len(found) >= LEAST]
    if not long:
        return keys
    hashes, ends = _hashed([batch[place] for place in long])
    # The last two shingles of each record run into the next: they are left out.
    inside = np.ones(len(hashes), bool)
    for step in range(1, SHINGLE):
        inside[np.array(ends) - step] = False
    offsets = np.array([0, *ends], np.uint64)
    offsets -= np.arange(len(ends) + 1, dtype=np.uint64) * np.uint64(SHINGLE - 1)
    found = _rensa().digest_matrix_from_flat_token_hashes(hashes[inside], offsets, HASHES, SEED)
    matrix = np.array(found.to_rows(), np.uint64)[:, : rows * bands].reshape(-1, bands, rows)
    total = np.zeros(matrix.shape[:2], np.uint64)
    for row in range(rows):
        total = (total ^ matrix[:, :, row]) * np.uint64(_FACTORS[0])
        total ^= total >> np.uint64(29)
    keys[long] = np.maximum(total >> np.uint64(32), np.uint64(1))
    return keys


def _rensa() -> Any:
    try:
        from rensa import RMinHash
    except ModuleNotFoundError as error:
        raise NoReader("near-duplicates need rensa", "install modelwarden[audit]") from error
    return RMinHash
