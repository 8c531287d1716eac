"""Safetensors headers, read without loading and under rules no two readers can differ on.

Stricter than the reference in three places: space before the first brace, duplicate names and
unknown keys of a tensor are refused here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from security import strictjson
from security.errors import InvalidSafetensors

MAX_HEADER = 100_000_000  # the reference's own bound
MAX_PARTS = 700_000  # brackets and commas: 50 thousand tensors have some 400 thousand
MAX_U64 = 2**64 - 1
HINT = "save the weights again with the safetensors library"
BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor; its bytes are `start` to `end` of the data that follows the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """A valid header: tensors in the order of their bytes, metadata in the file's order."""

    tensors: tuple[Tensor, ...]
    metadata: tuple[tuple[str, str], ...]


def header_length(first: bytes, size: int) -> int:
    """Return how many bytes of JSON follow the first 8 of a file of `size` bytes.

    Raises InvalidSafetensors before anything of that length is read or allocated.
    """
    if size < 8 or len(first) < 8:
        raise _invalid(f"only {size} bytes, too short for a header")
    length = int.from_bytes(first[:8], "little")
    if length > MAX_HEADER:
        raise _invalid(f"header of {length:,} bytes, more than {MAX_HEADER:,}")
    if length > size - 8:
        raise _invalid(f"header of {length:,} bytes in a file of {size:,}")
    if length < 2:
        raise _invalid(f"header of {length} bytes cannot be JSON")
    return length


def read_header(prefix: bytes, size: int) -> Header:
    """Read the header from the first bytes (8 + header_length) of a file of `size` bytes."""
    length = header_length(prefix, size)
    text = prefix[8 : 8 + length]
    if len(text) < length:
        raise ValueError(f"{len(text):,} bytes of a header of {length:,} were given")
    if text[:1] != b"{":
        raise _invalid("header does not begin with {")
    parts = text.count(b"{") + text.count(b"[") + text.count(b",")
    if parts > MAX_PARTS:
        raise _invalid(f"header of {parts:,} parts, more than {MAX_PARTS:,}")
    try:
        found = strictjson.loads(text, limit=length)
    except strictjson.StrictJSONError as error:
        raise _invalid(f"header is not strict JSON: {error}") from error
    metadata = _metadata(found.pop("__metadata__", {}))
    tensors = sorted((_tensor(*pair) for pair in found.items()), key=lambda t: (t.start, t.end))
    _check_cover(tensors, size - 8 - length)
    return Header(tuple(tensors), metadata)


def _metadata(found: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, dict):
        raise _invalid("__metadata__ is not an object")
    for key, value in found.items():
        if not isinstance(value, str):
            raise _invalid(f"__metadata__ key {key!r:.80} is not a string")
    return tuple(found.items())


def _tensor(name: str, found: Any) -> Tensor:
    label = f"tensor {name!r:.80}"
    if not isinstance(found, dict) or found.keys() != {"dtype", "shape", "data_offsets"}:
        raise _invalid(f"{label} has other keys than dtype, shape, data_offsets")
    dtype, shape, offsets = found["dtype"], found["shape"], found["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _invalid(f"{label} has unknown dtype {dtype!r:.40}")
    if not isinstance(shape, list) or not all(_is_size(n) for n in shape):
        raise _invalid(f"{label} has a shape that is not a list of sizes")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_size(n) for n in offsets):
        raise _invalid(f"{label} has data_offsets that are not two offsets")
    start, end = offsets
    if end < start:
        raise _invalid(f"{label} ends at {end:,}, before its start {start:,}")
    wanted = _bytes(label, dtype, shape)
    if wanted != end - start:
        raise _invalid(f"{label} needs {wanted:,} bytes but its range has {end - start:,}")
    return Tensor(name, dtype, tuple(shape), start, end)


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_U64  # bool is an int, and not a size


def _bytes(label: str, dtype: str, shape: list[int]) -> int:
    # Multiplied in the order readers do, so that what overflows them is refused here.
    bits = 1
    for factor in (*shape, BITS[dtype]):
        bits *= factor
        if bits > MAX_U64:
            raise _invalid(f"{label} has a shape that overflows 64 bits")
    if bits % 8:
        raise _invalid(f"{label} does not end on a whole byte")
    return bits // 8


def _check_cover(tensors: list[Tensor], data: int) -> None:
    at = 0
    for tensor in tensors:
        if tensor.start != at:
            word = "overlaps the one before" if tensor.start < at else "leaves a hole before it"
            raise _invalid(f"tensor {tensor.name!r:.80} {word} (byte {tensor.start:,})")
        at = tensor.end
    if at > data:
        raise _invalid(f"tensors need {at:,} bytes of data, the file has {data:,}")
    if at < data:
        raise _invalid(f"{data - at:,} bytes after the last tensor belong to none")


def _invalid(message: str) -> InvalidSafetensors:
    return InvalidSafetensors(message, HINT)
