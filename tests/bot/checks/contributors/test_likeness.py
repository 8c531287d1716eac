"""Which names may be one person's. A doubt is no finding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.contributors.likeness import alike, full


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Lovelace", "ada lovelace"),
        ("Ada Lovelace", "Lovelace, Ada"),
        ("Ada", "Ada Lovelace"),
        ("Ada King", "Ada Lovelace"),  # a name changes
        ("Adá Lovelace", "Ada Lovelace"),
        ("A. Lovelace", "Ada Lovelace"),
        ("AL", "Ada Lovelace"),
        ("alovelace", "Ada Lovelace"),
        ("Lovelace", "Adalovelace"),
        ("Bo", "Boris Rep"),
        ("dragon42", "Ada Lovelace"),  # a login tells nothing
        ("SerVB", "Sergei Bulgakov"),
        ("ada", "Bo Rep"),
        ("\u738b\u4f1f", "Wei Wang"),  # another script
        ("", "Ada"),
        ("...", "Ada"),
    ],
)
def test_alike(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "Mallory"),
        ("Ada Lovelace", "Mallory Smith"),
        ("Linus Torvalds", "Eve"),
        ("\u738b\u4f1f", "\u674e\u5a1c"),
        ("\u0410\u043d\u043d\u0430", "\u0411\u043e\u0440\u0438\u0441"),
    ],
)
def test_unlike(one: str, other: str) -> None:
    assert not alike(one, other)
    assert not alike(other, one)


@given(st.text(max_size=50), st.text(max_size=50))
def test_any_two_names(one: str, other: str) -> None:
    assert alike(one, one)
    assert alike(one, other) == alike(other, one)


@pytest.mark.parametrize(
    ("name", "whole"),
    [("Ada Lovelace", True), ("Ada", False), ("ada-lovelace", True), ("\u738b\u4f1f", True),
     ("", False), (" ", False)],
)  # fmt: skip
def test_full_names(name: str, whole: bool) -> None:
    assert full(name) is whole
