"""Stored bytes as numbers that numpy can add up: every whole-byte dtype of safetensors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_PLAIN = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<f4",
    "I64": "<i8", "U64": "<u8", "I32": "<i4", "U32": "<u4",
    "I16": "<i2", "U16": "<u2", "I8": "i1", "U8": "u1", "BOOL": "u1",
}  # fmt: skip
# Mantissa bits and bias of eight-bit floats (Open Compute Project, OFP8; FNUZ of IEEE P3109).
_EIGHT = {
    "F8_E4M3": (3, 7),
    "F8_E5M2": (2, 15),
    "F8_E4M3FNUZ": (3, 8),
    "F8_E5M2FNUZ": (2, 16),
}
_WIDE = frozenset({"F64", "I64", "U64", "I32", "U32"})  # more than a float32 holds exactly


def width(dtype: str) -> int:
    """Return the bytes of one number; 0 where numbers share bytes (F4, F6)."""
    if dtype in _PLAIN:
        return np.dtype(_PLAIN[dtype]).itemsize
    if dtype == "BF16":
        return 2
    return 1 if dtype in _EIGHT or dtype == "F8_E8M0" else 0


def parts(dtype: str) -> int:
    """Return how many numbers make one element: two of a complex one."""
    return 2 if dtype == "C64" else 1


def decode(data: bytes, dtype: str) -> Array:
    """Return the numbers as float32, or as float64 where those would lose digits."""
    if dtype == "BF16":
        wide = np.frombuffer(data, "<u2").astype("<u4") << 16
        found: Array = wide.view("<f4")
        return found
    if dtype in _PLAIN:
        kind = np.float64 if dtype in _WIDE else np.float32
        return np.asarray(np.frombuffer(data, _PLAIN[dtype]), kind)
    return np.asarray(_table(dtype)[np.frombuffer(data, "u1")])


def raw(data: bytes, dtype: str) -> Array:
    """Return the numbers as integers of the same width: equal where the bits are."""
    return np.frombuffer(data, f"<u{width(dtype)}")


_tables: dict[str, Array] = {}


def _table(dtype: str) -> Array:
    if dtype not in _tables:
        one = _scale if dtype == "F8_E8M0" else partial(_eight, dtype)
        values = [one(code) for code in range(256)]
        _tables[dtype] = np.array(values, np.float32)
    return _tables[dtype]


def _scale(code: int) -> float:
    return float("nan") if code == 255 else 2.0 ** (code - 127)


def _eight(dtype: str, code: int) -> float:
    bits, bias = _EIGHT[dtype]
    sign = -1.0 if code & 0x80 else 1.0
    exponent, mantissa = (code & 0x7F) >> bits, code & ((1 << bits) - 1)
    if dtype.endswith("FNUZ") and code == 0x80:
        return float("nan")
    if dtype == "F8_E4M3" and code & 0x7F == 0x7F:
        return float("nan")
    if dtype == "F8_E5M2" and exponent == 31:
        return float("nan") if mantissa else sign * float("inf")
    fraction = mantissa / (1 << bits)
    if exponent == 0:
        return sign * fraction * 2.0 ** (1 - bias)
    return sign * (1 + fraction) * 2.0 ** (exponent - bias)
