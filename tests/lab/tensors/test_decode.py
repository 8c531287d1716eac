"""Every dtype against torch, which stores what we read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lab.tensors.decode import decode, raw, width
from security.safetensors import BITS

EVERY_BYTE = torch.arange(256, dtype=torch.uint8)
KINDS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U8": torch.uint8, "BOOL": torch.bool,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz, "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_reads_the_numbers_torch_stores(name: str) -> None:
    if name == "BOOL":
        stored = torch.tensor([True, False, True, True])
    elif width(name) == 1:
        stored = EVERY_BYTE.view(KINDS[name])
    else:
        numbers = [0, 1, -1, 2.5, 1e4, -3.25, float("inf"), float("nan")]
        stored = torch.tensor(numbers[: 8 if name[0] in "FB" else 5]).to(KINDS[name])
    data = stored.view(torch.uint8).numpy().tobytes()
    np.testing.assert_array_equal(decode(data, name), stored.to(torch.float64).numpy())
    assert len(raw(data, name)) == len(stored)


def test_scales_are_powers_of_two() -> None:
    found = decode(bytes((0, 127, 128, 254, 255)), "F8_E8M0")
    assert list(found[:4]) == [2.0**-127, 1.0, 2.0, 2.0**127] and np.isnan(found[4])


def test_complex_numbers_are_two() -> None:
    assert list(decode(np.array([1 + 2j], np.complex64).tobytes(), "C64")) == [1.0, 2.0]


def test_every_dtype_is_read_or_said_not_to_be() -> None:
    assert {name for name in BITS if not width(name)} == {"F4", "F6_E2M3", "F6_E3M2"}
    assert all(width(n) == BITS[n] // (16 if n == "C64" else 8) for n in BITS if width(n))
