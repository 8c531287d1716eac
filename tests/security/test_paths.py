from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed
from security.paths import MAX_BYTES, MAX_PARTS, canonical, hidden, is_ignored, shown

GOOD = [
    "a", "a/b", "config.json", ".hidden", "..a", "a..", "a/...", "a b", "Ä/ü", "a\\b", "a\nb",
    "C:x", "model.sig:0:8", "\x7f", "\u202e", "x" * MAX_BYTES, "/".join("a" * MAX_PARTS),
]  # fmt: skip
BAD = [
    "", "/", "/a", "a/", "a//b", "//", ".", "..", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b",
    "a\0b", "\0", "\ud800", "a/\udcff", "x" * (MAX_BYTES + 1), "ü" * (MAX_BYTES // 2 + 1),
    "/".join("a" * (MAX_PARTS + 1)),
]  # fmt: skip


@pytest.mark.parametrize("path", GOOD)
def test_canonical_names_are_left_as_they_are(path: str) -> None:
    assert canonical(path) == path


@pytest.mark.parametrize("path", BAD)
def test_any_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(Malformed) as caught:
        canonical(path)
    assert caught.value.message.isprintable() and len(caught.value.message) < 600


@given(st.text(st.characters(), max_size=20))
def test_a_canonical_path_survives_joining_its_parts(path: str) -> None:
    try:
        canonical(path)
    except Malformed:
        return
    parts = path.split("/")
    assert "/".join(part for part in parts if part not in ("", ".", "..")) == path
    assert path.encode().decode() == path


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".git", True), (".git/a/b", True), ("sub/.git", False), (".gitx", False), ("x.git", False),
        ("cache/a", True), ("cache", True), ("a/cache", False), ("deep/er/x", True),
        ("deep/e", False), ("deep", False), (".", False),
    ],
)  # fmt: skip
def test_what_is_left_out(path: str, ignored: bool) -> None:
    assert is_ignored(path, {".git", "cache", "deep/er"}) is ignored


@pytest.mark.parametrize("path", ["*", "a*", "a?b", "[ab]", "../x", "/x", "", "x/"])
def test_patterns_and_odd_spellings_cannot_be_left_out(path: str) -> None:
    with pytest.raises(Malformed):
        hidden(["fine", path])


def test_names_to_leave_out_keep_their_order() -> None:
    assert hidden(["b", "a/b"]) == ("b", "a/b")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("plain/ü", "plain/ü"), ("a\nb", "a\\nb"), ("\x1b[31m", "\\x1b[31m"),
        ("\u202egpj", "\\u202egpj"), ("\udcff", "\\udcff"), ("a\0", "a\\x00"),
    ],
)  # fmt: skip
def test_messages_show_names_on_one_line(path: str, text: str) -> None:
    assert shown(path) == text


def test_long_names_are_cut_in_messages() -> None:
    assert len(shown("\n" * 5000)) < 600
