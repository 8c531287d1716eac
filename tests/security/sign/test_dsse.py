from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import Malformed
from security.sign import dsse

# DSSE v1.0, protocol.md: the specification's own example.
EXAMPLE = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_what_is_signed_is_the_specification_s_example() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == EXAMPLE


def test_lengths_count_bytes() -> None:
    assert dsse.pae("ü", "ä".encode()) == "DSSEv1 2 ü 2 ä".encode()


@given(st.text(max_size=12), st.binary(max_size=30), st.text(max_size=12), st.binary(max_size=30))
@settings(deadline=None)
def test_no_two_pairs_are_signed_alike(a: str, one: bytes, b: str, other: bytes) -> None:
    assert (dsse.pae(a, one) == dsse.pae(b, other)) == ((a, one) == (b, other))


def test_a_type_that_looks_like_a_length_is_not_taken_for_one() -> None:
    assert dsse.pae("a 1 b", b"c") != dsse.pae("a", b"b 1 c")


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_base64_there_and_back(data: bytes) -> None:
    assert dsse.decode64(dsse.encode64(data), "it") == data


@pytest.mark.parametrize(
    "text",
    ["QQ", "QQ=", "QR==", "Q Q==", "QQ==\n", "\nQQ==", "QQ==QQ==", "Q===", "=", "====", "-_-_",
     "QUJ=", "Q\u00fc==", "QQ==\0", "QUJDRA", "\uff31Q==", 5, None, ["QQ=="], b"QQ=="],
    ids=repr,
)  # fmt: skip
def test_base64_has_one_spelling(text: object) -> None:
    with pytest.raises(Malformed, match="it is"):
        dsse.decode64(text, "it")


@given(st.text(alphabet="ABCDabcd0189+/=-_ \n", max_size=12))
@settings(deadline=None)
def test_what_is_decoded_is_what_would_be_written(text: str) -> None:
    try:
        data = dsse.decode64(text, "it")
    except Malformed:
        return
    assert base64.b64encode(data).decode() == text
