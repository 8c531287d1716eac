from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.documents import ALIASES, DocumentError, load_json, load_toml, load_yaml

LIMIT = 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: push\n", {"on": "push"}),
        ("a: off\nb: no\nc: yes\n", {"a": "off", "b": "no", "c": "yes"}),
        ("a: true\nb: False\n", {"a": True, "b": False}),
        ("a: [1, 2.5, null, ~]\n", {"a": [1, 2.5, None, None]}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("", None),
    ],
)
def test_yaml_values(text: str, value: Any) -> None:
    assert load_yaml(text.encode(), limit=LIMIT).value == value


def test_yaml_lines() -> None:
    document = load_yaml(b"a:\n  b: 1\n  c:\n    - x\n    - y: 2\n", limit=LIMIT)
    assert document.line(("a", "b")) == 2
    assert document.line(("a", "c", 1, "y")) == 5
    assert document.line(("a", "c", 7)) == 3
    assert document.line(("zzz",)) == 1


@pytest.mark.parametrize(
    ("data", "said", "line"),
    [
        (b"a: 1\na: 2\n", "duplicate key", 2),
        (b"a: &x 1\n\nb: *x\n", "aliases", 3),
        (b"a: !!python/name:os.system x\n", "constructor", 1),
        (b"a: !custom {b: 1}\n", "not accepted", 1),
        (b"a: !!binary {b: 1}\n", "not accepted", 1),
        (b"a: [\n", "while parsing", 2),
        (b"a: \xff\n", "not UTF-8", 1),
        (b"a: 1\nb: \0\n", "NUL", 2),
        (b"- " * 400, "nested", 1),
        (b"x" * (LIMIT + 1), "more than 1,000", 0),
    ],
)
def test_yaml_refused(data: bytes, said: str, line: int) -> None:
    with pytest.raises(DocumentError, match=said) as raised:
        load_yaml(data, limit=LIMIT)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1, "a": 2}', "duplicate key"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"[" * 400, "nested"),
        (b'"\xff"', "not UTF-8"),
        (b"{} {}", "Extra data"),
        (b"", "Expecting value"),
        (b"1" * 999, None),
        (b" " * (LIMIT + 1), "more than 1,000"),
    ],
)
def test_json_refused(data: bytes, said: str | None) -> None:
    if said is None:
        assert isinstance(load_json(data, limit=LIMIT), int)
        return
    with pytest.raises(DocumentError, match=said):
        load_json(data, limit=LIMIT)


def test_keys_that_all_hash_alike_cost_no_time() -> None:
    # Python's hash of a number is its rest by 2^61 - 1: such keys make a dict quadratic.
    text = "".join(f"{n * (2**61 - 1)}: 1\n" for n in range(1, 20_000))
    with pytest.raises(DocumentError, match="too large a number"):
        load_yaml(text.encode(), limit=10_000_000)
    assert load_yaml(b"2026: 1", limit=100).value == {2026: 1}


def test_json_of_endless_digits() -> None:
    with pytest.raises(DocumentError):
        load_json(b"1" * 5000, limit=10_000)


@pytest.mark.parametrize(
    ("data", "line"), [(b"a = 1\na = 2\n", 2), (b"a = \n", 1), (b"\xff", 1), (b"a\0", 1)]
)
def test_toml_refused(data: bytes, line: int) -> None:
    with pytest.raises(DocumentError) as raised:
        load_toml(data, limit=LIMIT)
    assert raised.value.line == line


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8")))
def test_any_bytes_read_or_are_refused(data: bytes) -> None:
    for load in (load_yaml, load_json, load_toml):
        try:
            load(data, limit=LIMIT)
        except DocumentError as error:
            assert error.message


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{b}'] * 9)}]\n" for b, n in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
        ("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n", {"a": {"k": 1, "l": 2},
                                                       "b": {"k": 3, "l": 2}}),
        ("a: &x {k: 1}\nb: &y {k: 2, m: 4}\nc: {<<: [*x, *y]}\n",
         {"a": {"k": 1}, "b": {"k": 2, "m": 4}, "c": {"k": 1, "m": 4}}),
    ],
)  # fmt: skip
def test_aliases_where_they_are_accepted(text: str, value: Any) -> None:
    assert load_yaml(text.encode(), limit=LIMIT, aliases=9).value == value


def test_what_an_alias_repeats_has_the_line_of_its_anchor() -> None:
    document = load_yaml(b"a: &x\n  k: 1\nb:\n  <<: *x\nc: *x\n", limit=LIMIT, aliases=9)
    assert [document.line(path) for path in (("b", "k"), ("c", "k"), ("c",))] == [2, 2, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "aliases of more than 100,000"),
        ("a: &a [*a]\n", "aliases of more than 100,000"),
        ("a: &a {<<: *a}\n", "aliases of more than 100,000"),
        ("a: &a 1\nb: [" + "*a, " * 201 + "]\n", "more than 200 YAML aliases"),
        ("a: *b\n", "undefined alias"),
        ("a: {<<: 1}\n", "only mappings"),
        ("a: &x {k: 1}\nb: {k: 1, k: 2, <<: *x}\n", "duplicate key"),
    ],
)
def test_aliases_that_are_bombs_or_nonsense(text: str, said: str) -> None:
    start = time.process_time()
    with pytest.raises(DocumentError, match=said):
        load_yaml(text.encode(), limit=10_000, aliases=ALIASES)
    assert time.process_time() - start < 2
