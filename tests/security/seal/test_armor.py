import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed, TooLarge
from security.seal.armor import BEGIN, END, LIMIT, armor, dearmor, is_armored


@given(st.binary(max_size=300))
def test_comes_out_as_it_went_in(data: bytes) -> None:
    text = armor(data)
    assert is_armored(text) and is_armored(b" \r\n\t" + text)
    assert dearmor(text) == data
    assert dearmor(b"\n \t" + text.replace(b"\n", b"\r\n") + b"\r\n \n") == data


@given(st.binary(max_size=200))
def test_what_is_read_has_one_text(tail: bytes) -> None:
    text = BEGIN + b"\n" + tail + b"\n" + END
    try:
        data = dearmor(text)
    except Malformed:
        return
    assert armor(data).strip() == text.replace(b"\r\n", b"\n")


@given(st.binary(min_size=1, max_size=150), st.data())
def test_any_changed_byte_changes_the_content_or_is_refused(
    data: bytes, draw: st.DataObject
) -> None:
    text = armor(data)[:-1]
    at = draw.draw(st.integers(0, len(text) - 1))
    other = draw.draw(st.integers(0, 255).filter(lambda b: b != text[at]))
    with contextlib.suppress(Malformed):
        assert dearmor(text[:at] + bytes([other]) + text[at + 1 :]) != data


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("does not begin", b"age-encryption.org/v1\n"),
        ("does not begin", b"x" + armor(b"abc")),
        ("does not begin", b""),
        ("does not end", BEGIN + b"\nAAAA\n"),
        ("does not end", armor(b"abc") + b"x"),
        ("several ways", armor(b"abc").replace(b"\n", b"\r\n", 1)),
        ("several ways", armor(b"abc").replace(b"\n", b"\r")),
        ("64 columns", armor(bytes(96)).replace(b"A\nA", b"A\n\nA")),
        ("64 columns", armor(bytes(96)).replace(b"A\nA", b"AA")),
        ("64 columns", armor(bytes(96)).replace(b"A\nA", b"\nAA")),
        ("64 columns", armor(b"abcd").replace(b"=", b" ")),
        ("base64", armor(b"abcd").replace(b"=", b"")),
        ("canonical", armor(b"abcd").replace(b"A==", b"B==")),
    ],
)
def test_says_what_is_wrong_and_where(why: str, text: bytes) -> None:
    with pytest.raises(Malformed, match=why) as caught:
        dearmor(text, "w.age")
    assert caught.value.message.startswith("w.age")


def test_is_bounded() -> None:
    with pytest.raises(TooLarge):
        dearmor(b" " * (LIMIT + 1), "w.age")
