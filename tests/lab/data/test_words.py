from __future__ import annotations

import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.data.words import words

SAME = [
    ("well-known", "well-\n  > known"),
    ("hyphenated words", "hyphen-\r\n# ated\tWORDS"),
    ("it's the dog's", "its the dogs"),
    ("it’s", "it's"),
    ("fine", "ﬁne"),
    ("straße", "STRASSE"),
    ("caf\u00e9", "cafe\u0301"),
    ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
    ("nonbreaking\u2011hyphen", "nonbreakinghyphen"),
    ("a, b; “c” — d…", "a b c d"),
    ("full ｗｉｄｔｈ", "full width"),
    ("snake_case", "snake case"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_only_looks_different_is_the_same(one: str, other: str) -> None:
    assert words(one) == words(other) != []


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("- * ...", 0), ("- item -- two", 2), ("漢字かな", 4), ("1,000", 2), ("\ud800 x", 1)],
)
def test_words_are_counted(text: str, count: int) -> None:
    assert len(words(text)) == count


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=8), min_size=1), st.integers(10, 60))
def test_wrapping_changes_nothing(found: list[str], width: int) -> None:
    text = " ".join(found)
    wrapped = textwrap.wrap(text, width, break_long_words=False)
    assert words("\n> ".join(wrapped)) == words(text) == [word.encode() for word in found]


@given(st.text(max_size=60))
def test_words_of_words_are_words(text: str) -> None:
    once = words(text)
    assert words(b" ".join(once).decode()) == once
    assert all(word and b" " not in word for word in once)


@pytest.mark.parametrize(
    "text", ["a" + "\u0315\u0300" * 200_000, "-" * 500_000, "-\n" * 250_000, "- " * 250_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    words("é")
    start = time.process_time()
    words(text)
    assert time.process_time() - start < 1.0
