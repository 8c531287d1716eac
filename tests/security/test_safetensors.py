import json
import struct
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import save

from security.errors import InvalidSafetensors
from security.safetensors import BITS, MAX_HEADER, Header, Tensor, header_length, read_header

deserialize: Any = safetensors.deserialize  # untyped
NAMES = st.text(min_size=1, max_size=12).filter(lambda n: n != "__metadata__")
TYPES = (np.float32, np.float64, np.int8, np.uint16, np.int64, np.bool_, np.float16)
ARRAYS = st.builds(
    lambda shape, kind: np.zeros(shape, dtype=kind),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(TYPES),
)


def build(header: object, data: int = 0, *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * data


def tensor(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def read(data: bytes) -> Header:
    return read_header(data, len(data))


@given(st.dictionaries(NAMES, ARRAYS, max_size=6), st.dictionaries(st.text(), st.text()))
def test_what_the_library_writes_is_accepted_and_read_alike(
    arrays: dict[str, np.ndarray], metadata: dict[str, str]
) -> None:
    # Without tensors and metadata safetensors 0.8.0 writes a file it cannot read itself.
    data = save(arrays, metadata=metadata if arrays else metadata | {"format": "np"})
    header = read(data)
    assert {t.name: t.shape for t in header.tensors} == {n: a.shape for n, a in arrays.items()}
    assert metadata.items() <= dict(header.metadata).items()
    assert sum(t.end - t.start for t in header.tensors) == sum(a.nbytes for a in arrays.values())


@pytest.mark.parametrize("dtype", sorted(BITS))
def test_knows_every_dtype_of_the_reference(dtype: str) -> None:
    data = build({"a": tensor(dtype, [8], [0, BITS[dtype]])}, BITS[dtype])
    assert read(data).tensors == (Tensor("a", dtype, (8,), 0, BITS[dtype]),)
    assert deserialize(data)[0][1]["dtype"] == dtype


HOSTILE = [
    ("too short", b"\0" * 7, "too short", True),
    ("2^60", struct.pack("<Q", 2**60) + b"{}", "more than 100,000,000", True),
    ("beyond the file", build({}, length=500), "in a file of", True),
    ("empty header", build(b""), "cannot be JSON", True),
    ("not an object", build([1]), "does not begin with {", True),
    ("leading space", build(b" {}"), "does not begin with {", False),
    ("cut JSON", build(b'{"a":'), "not strict JSON", True),
    ("bad UTF-8", build(b'{"\xff":1}'), "not UTF-8", True),
    ("NaN", build(b'{"a":NaN}'), "NaN is not JSON", True),
    ("trailing text", build(b"{}x"), "not strict JSON", True),
    ("deep", build(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}"), "nested deeper", True),
    (
        "duplicate",
        build(b'{"a":%s,"a":%s}' % ((json.dumps(tensor()).encode(),) * 2), 8),
        "duplicate key 'a'",
        False,
    ),
    ("metadata list", build({"__metadata__": ["x"]}), "__metadata__ is not an object", True),
    ("metadata number", build({"__metadata__": {"k": 1}}), "'k' is not a string", True),
    ("tensor is a list", build({"a": [1]}), "other keys", True),
    ("no dtype", build({"a": {"shape": [2], "data_offsets": [0, 8]}}, 8), "other keys", True),
    ("extra key", build({"a": {**tensor(), "x": 1}}, 8), "other keys", False),
    ("dtype", build({"a": tensor("F31")}, 8), "unknown dtype 'F31'", True),
    ("negative", build({"a": tensor(shape=[-2])}, 8), "not a list of sizes", True),
    ("boolean", build({"a": tensor(shape=[True, 2])}, 8), "not a list of sizes", True),
    ("float", build({"a": tensor(shape=[2.0])}, 8), "not a list of sizes", True),
    ("overflow", build({"a": tensor(shape=[2**33, 2**33])}, 8), "overflows 64 bits", True),
    ("wraps to fit", build({"a": tensor(shape=[2**62, 4, 2])}, 8), "overflows 64 bits", True),
    ("huge size", build({"a": tensor(shape=[2**64])}, 8), "not a list of sizes", True),
    ("three offsets", build({"a": tensor(offsets=[0, 8, 9])}, 8), "not two offsets", True),
    ("backwards", build({"a": tensor(offsets=[8, 0])}, 8), "before its start", True),
    ("range", build({"a": tensor(offsets=[0, 4])}, 4), "needs 8 bytes but its range has 4", True),
    ("half byte", build({"a": tensor("F4", [1], [0, 0])}), "whole byte", True),
    (
        "hole",
        build({"a": tensor(), "b": tensor(offsets=[12, 20])}, 20),
        "'b' leaves a hole",
        True,
    ),
    (
        "overlap",
        build({"a": tensor(), "b": tensor(offsets=[4, 12])}, 12),
        "'b' overlaps",
        True,
    ),
    ("shared", build({"a": tensor(), "b": tensor()}, 8), "'b' overlaps", True),
    ("late start", build({"a": tensor(offsets=[4, 12])}, 12), "'a' leaves a hole", True),
    ("cut data", build({"a": tensor()}, 7), "the file has 7", True),
    ("tail", build({"a": tensor()}, 9), "1 bytes after the last tensor", True),
    ("only a tail", build({}, 3), "3 bytes after the last tensor", True),
]


@pytest.mark.parametrize(
    ("data", "reason", "reference"), [v[1:] for v in HOSTILE], ids=[v[0] for v in HOSTILE]
)
def test_refuses_hostile_files_for_their_reason(data: bytes, reason: str, reference: bool) -> None:
    with pytest.raises(InvalidSafetensors) as caught:
        read(data)
    assert reason in caught.value.message
    assert caught.value.hint
    if reference:
        with pytest.raises(SafetensorError):
            deserialize(data)
    else:
        deserialize(data)  # stricter than the reference, on purpose


def test_length_is_bounded_before_anything_is_read() -> None:
    assert header_length(struct.pack("<Q", MAX_HEADER), MAX_HEADER + 8) == MAX_HEADER
    with pytest.raises(InvalidSafetensors, match="more than 100,000,000"):
        header_length(struct.pack("<Q", MAX_HEADER + 1), 2**62)


def test_a_short_prefix_is_the_callers_mistake() -> None:
    data = build({"a": tensor()}, 8)
    with pytest.raises(ValueError, match="were given"):
        read_header(data[:20], len(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except InvalidSafetensors:
        return
    deserialize(data)


@given(st.integers(0, 199), st.integers(0, 255))
def test_accepts_nothing_the_reference_refuses(at: int, byte: int) -> None:
    data = bytearray(save({"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.int8)}))
    data[at % len(data)] = byte
    try:
        read(bytes(data))
    except InvalidSafetensors:
        return
    deserialize(bytes(data))
