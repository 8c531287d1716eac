from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from safetensors.numpy import save

from lab.tensors import compare as module
from lab.tensors.compare import compare
from lab.tensors.layout import Place, layout
from lab.tensors.values import Diff, Kind
from security.errors import InvalidSafetensors
from security.safetensors import BITS
from security.scan.source import Source, of_bytes

Arrays = Mapping[str, np.ndarray[Any, Any]]
GIGABYTE = 10**9


def model(**tensors: np.ndarray[Any, Any]) -> bytes:
    return save(dict(tensors))


def places(*files: bytes) -> dict[str, Place]:
    return layout(of_bytes(f"{n}.safetensors", data) for n, data in enumerate(files))


def diff(base: bytes | None, head: bytes, limit: int = GIGABYTE) -> Diff:
    found = compare(None if base is None else places(base), places(head), limit)
    adapter = TypeAdapter(Diff)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def noise(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


A, B = noise(40, 8), noise(16, 16, seed=1)


def test_equal_models_differ_in_nothing() -> None:
    found = diff(model(a=A, b=B), model(b=B, a=A))
    assert (found.tensors, found.same, found.shifts) == (2, 2, ())


def test_numbers_are_those_of_numpy() -> None:
    after = A.copy()
    after[3] += 0.5
    after[7, 2] = 9
    [shift] = diff(model(a=A, b=B), model(a=after, b=B)).shifts
    numbers = shift.numbers
    assert shift.name == "a" and shift.kind == Kind.CHANGED and numbers is not None
    assert numbers.relative == pytest.approx(np.linalg.norm(after - A) / np.linalg.norm(A))
    assert numbers.largest == pytest.approx(np.abs(after - A).max())
    assert numbers.share == pytest.approx(9 / 320)
    assert (numbers.rows, numbers.changed_rows, numbers.of_rows) == ((3, 7), 2, 40)


def test_the_largest_difference_comes_first() -> None:
    base = {f"t{n}": noise(10, 10, seed=n) for n in range(5)}
    head = {name: array * (1 + 0.1 * n) for n, (name, array) in enumerate(base.items())}
    found = diff(model(**base), model(**head))
    assert [s.name for s in found.shifts] == ["t4", "t3", "t2", "t1"] and found.same == 1


def test_layout_changes_are_named() -> None:
    base = model(same=A, gone=B[:3], old=noise(5), long=noise(7), wide=noise(4, 4))
    head = model(same=A, new=B[:2], moved=noise(5), long=noise(8), wide=noise(4, 4).astype("f2"))
    found = {s.name: s for s in diff(base, head).shifts}
    assert {name: s.kind.value for name, s in found.items()} == {
        "gone": "removed", "new": "added", "moved": "renamed", "long": "reshaped",
        "wide": "retyped",
    }  # fmt: skip
    assert found["moved"].was == "old"
    assert (found["long"].before, found["long"].after) == ("F32 [7]", "F32 [8]")
    wide = found["wide"].numbers
    assert wide is not None and wide.relative is not None and 0 < wide.relative < 1e-3


def test_tensors_that_moved_between_shards_are_the_same() -> None:
    found = compare(places(model(a=A), model(b=B)), places(model(a=A, b=B)), GIGABYTE)
    assert found.same == 2 and not found.shifts


def test_one_tensor_in_two_shards_is_refused() -> None:
    with pytest.raises(InvalidSafetensors, match=r"'a' is in 0\.safetensors and in 1"):
        places(model(a=A), model(a=A))


HEALTH = [
    ("nan", np.array([1, math.nan]), (1, 0, False)),
    ("infinities", np.array([math.inf, -math.inf, 1]), (0, 2, False)),
    ("zero", np.zeros(4), (0, 0, True)),
    ("fine", np.ones(4), (0, 0, False)),
    ("nothing", np.zeros(0), (0, 0, False)),
]


@pytest.mark.parametrize(("array", "expected"), [h[1:] for h in HEALTH], ids=[h[0] for h in HEALTH])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_odd_numbers_are_counted(
    array: np.ndarray[Any, Any], expected: tuple[int, int, bool], dtype: str
) -> None:
    found = diff(None, model(t=array.astype(dtype))).shifts
    health = [(s.health.nans, s.health.infinities, s.health.zero) for s in found if s.health]
    assert health == ([expected] if expected != (0, 0, False) else [])
    other = diff(model(t=array.astype(dtype) + 1), model(t=array.astype(dtype)))
    assert all(s.numbers is not None for s in other.shifts)


def test_what_was_odd_before_is_told_apart() -> None:
    base = np.array([1, math.nan], np.float32)
    [shift] = diff(model(t=base), model(t=base * 2)).shifts
    assert shift.health_before and shift.health_before.nans == 1
    assert shift.numbers and shift.numbers.largest == 1.0


def test_rows_far_from_the_others_are_counted() -> None:
    head = A.copy()
    head[[1, 5]] *= 1_000
    head[9] = 0
    [shift] = diff(model(a=A), model(a=head)).shifts
    assert shift.health and (shift.health.outliers, shift.health.zero_rows) == (2, 1)


def test_numbers_beyond_floats_stay_finite() -> None:
    top = np.full((3, 4), np.finfo(np.float64).max)
    [shift] = diff(model(a=top), model(a=-top)).shifts
    assert shift.numbers and shift.numbers.share == 1.0
    wide = np.full((3, 4), np.finfo(np.float32).max)
    [shift] = diff(model(a=wide), model(a=-wide)).shifts
    assert shift.numbers and shift.numbers.relative == pytest.approx(2)
    small = np.full((3, 4), 1e-40, np.float32)
    [shift] = diff(model(a=small), model(a=2 * small)).shifts
    assert shift.numbers and shift.numbers.relative == pytest.approx(1, rel=1e-3)


def test_a_zero_base_has_no_relative_difference() -> None:
    [shift] = diff(model(a=np.zeros(3)), model(a=np.ones(3))).shifts
    assert shift.numbers and shift.numbers.relative is None and shift.numbers.largest == 1


def test_beyond_the_limit_nothing_is_called_equal() -> None:
    found = diff(model(a=A, b=B), model(a=A, b=B), limit=2 * A.nbytes)
    assert [(s.name, "beyond" in s.doubt) for s in found.shifts] == [("b", True)]
    assert found.read <= 2 * A.nbytes


def test_without_numpy_equal_and_unequal_are_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    found = diff(model(a=A, b=B), model(a=A + 1, b=B))
    assert [(s.name, s.doubt) for s in found.shifts] == [("a", module.NO_NUMPY)]


def test_packed_numbers_are_not_measured() -> None:
    def packed(data: bytes) -> bytes:
        text = b'{"t":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}'
        return struct.pack("<Q", len(text)) + text + data

    [shift] = diff(packed(b"ab"), packed(b"ac")).shifts
    assert "packs" in shift.doubt and shift.kind == Kind.CHANGED


def test_only_what_differs_is_decoded_and_reading_is_by_pieces() -> None:
    big = np.zeros((1_000, 1_000), np.float32)
    other = big.copy()
    other[500, 500] = 1
    largest = 0

    def watched(name: str, data: bytes) -> Source:
        def read(at: int, count: int) -> bytes:
            nonlocal largest
            largest = max(largest, count)
            return data[at : at + count]

        return Source(name, len(data), read)

    base = layout([watched("b", model(t=big))])
    head = layout([watched("h", model(t=other))])
    [shift] = compare(base, head, GIGABYTE).shifts
    assert shift.numbers and shift.numbers.rows == (500,) and largest <= 1 << 20


def test_embeddings_are_counted_and_much_is_cut() -> None:
    found = diff(None, model(**{"model.embed_tokens.weight": A}))
    assert found.embeddings == (("model.embed_tokens.weight", 40),)
    many = {f"t{n}": np.zeros(1) for n in range(1_200)}
    found = diff(None, model(**many))
    assert len(found.shifts) == 1_000 and found.more == 200 and dict(found.counts)["added"] == 1_200


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(width=32, allow_nan=True), min_size=1, max_size=40),
    st.lists(st.floats(width=32, allow_nan=True), min_size=1, max_size=40),
)
def test_any_numbers_give_finite_evidence(left: list[float], right: list[float]) -> None:
    size = min(len(left), len(right))
    base, head = np.array(left[:size], "f4"), np.array(right[:size], "f4")
    found = diff(model(t=base), model(t=head))
    assert bool(found.shifts) == (base.tobytes() != head.tobytes())
    for shift in found.shifts:
        assert shift.numbers and math.isfinite(shift.numbers.largest)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A valid file of any dtypes and shapes, with any bytes."""
    header: dict[str, object] = {}
    data = b""
    for name in draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4)):
        dtype = draw(st.sampled_from(sorted(BITS)))
        shape = draw(st.lists(st.integers(0, 4), max_size=3))
        if BITS[dtype] < 8:
            shape.append(4)
        size = math.prod(shape) * BITS[dtype] // 8
        header[name] = {
            "dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + size],
        }  # fmt: skip
        data += draw(st.binary(min_size=size, max_size=size))
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@settings(max_examples=300, deadline=None)
@given(files(), files())
def test_any_two_files_can_be_compared(left: bytes, right: bytes) -> None:
    found = diff(left, right)
    names = places(right).keys()
    assert found.tensors == len(names) and 0 <= found.same <= len(names)
    assert diff(left, left).shifts == ()
    diff(None, right)
