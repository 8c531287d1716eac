from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import UnreadableText
from registry.licenses.matching import decoded, identify
from tests.registry.licenses.test_texts import HOLDER, MIT

SIGNED = MIT.replace(HOLDER, "Copyright © 2020 Zoë Müller")


@pytest.mark.parametrize(
    "data",
    [
        SIGNED.encode(),
        b"\xef\xbb\xbf" + SIGNED.encode(),
        b"\xff\xfe" + SIGNED.encode("utf-16-le"),
        b"\xfe\xff" + SIGNED.encode("utf-16-be"),
        SIGNED.encode("latin-1"),
        SIGNED.replace("\n", "\r\n").encode("cp1252"),
    ],
)
def test_the_same_text_whatever_its_encoding(data: bytes) -> None:
    text = decoded(data)
    assert text.replace("\r\n", "\n") == SIGNED
    assert identify(text)[:1] == ("MIT",)


@pytest.mark.parametrize(
    "data",
    [
        b"MIT License\0",
        SIGNED.encode("utf-16-le"),
        b"\xff\xfe" + SIGNED.encode("utf-16-le") + b"\x00",
        b"\xff\xfe\x00\xd8",
        b"\xff\xfe\x00\x00" + SIGNED.encode("utf-32-le"),
        b"\x00\x00\xfe\xff" + SIGNED.encode("utf-32-be"),
        b"\xef\xbb\xbf" + SIGNED.encode("latin-1"),
        SIGNED.encode() + b"\xff",
        SIGNED.encode()[: SIGNED.encode().index(b"\xc2\xa9") + 2] + b"\xe2\x80",
        "Лицензия MIT".encode("cp1251"),
        "許可".encode("shift-jis"),
        "사용권".encode("euc-kr"),
        b"\x81 MIT License",
        b"\x89PNG\r\n\x1a\n\x00",
        bytes(range(128, 256)),
    ],
)
def test_what_may_be_another_text_is_an_error(data: bytes) -> None:
    with pytest.raises(UnreadableText):
        decoded(data)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200))
def test_utf8_is_read_as_it_is(text: str) -> None:
    assert decoded(b"\xef\xbb\xbf" + text.encode()) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_an_error(data: bytes) -> None:
    try:
        assert "\0" not in decoded(data)
    except UnreadableText as error:
        assert error.hint
