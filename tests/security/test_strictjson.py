from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security import strictjson
from security.strictjson import StrictJSONError


def loads(data: bytes, depth: int = 64) -> object:
    return strictjson.loads(data, limit=10_000_000, depth=depth)


def nesting(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(nesting, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(nesting, value), default=0)
    return 0


TEXTS = st.text(alphabet='[]{}"\\a\n', max_size=8)
VALUES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


@given(VALUES, st.integers(0, 8), st.sampled_from([None, 1]))
@settings(deadline=None)
def test_depth_is_that_of_the_values_whatever_texts_hold(
    value: object, depth: int, indent: int | None
) -> None:
    data = json.dumps(value, indent=indent).encode()
    if nesting(value) > depth:
        with pytest.raises(StrictJSONError, match="deeper"):
            loads(data, depth)
    else:
        assert loads(data, depth) == value


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\1', max_size=60).map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_values_or_an_error(data: bytes) -> None:
    try:
        value = loads(data, 3)
    except StrictJSONError:
        return
    assert nesting(value) <= 3


BAD = {
    "duplicate": b'{"a":1,"a":1}',
    "duplicate, other spelling": b'{"a":1,"\\u0061":2}',
    "NaN": b"[NaN]",
    "infinite": b"-Infinity",
    "deep": b"[" * 65 + b"]" * 65,
    "very deep": b"[" * 1_000_000,
    "unending text": b'"' + b'\\"' * 1_000_000 + b"[" * 100,
    "digits": b"1" * 5000,
    "not UTF-8": b'"\xff"',
    "mark": b"\xef\xbb\xbf1",
    "rest": b"1 2",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(StrictJSONError):
        loads(BAD[name])


def test_size_is_bounded() -> None:
    with pytest.raises(StrictJSONError, match="more than 3"):
        strictjson.loads(b"1234", limit=3)
