"""Added lines: what the head has more often than the base, and where."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import added
from bot.added import Run

LINES = st.lists(st.sampled_from([b"", b"a", b"b", b"aa", b"ab", b"c" * 9]), max_size=12)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (None, b"a\nb\n", [(1, b"a"), (2, b"b")]),
        (b"", b"a", [(1, b"a")]),
        (b"a\nb\n", b"a\nb\n", []),
        (b"a\nb\n", b"b\na\n", []),
        (b"a\nb\n", b"a\nx\nb\n", [(2, b"x")]),
        (b"a\nb\n", b"a\nb\na\n", [(3, b"a")]),
        (b"a", b"a\nb", [(2, b"b")]),
        (b"a\nb", b"a\nb\nc", [(3, b"c")]),
        (b"b\n", b"bb\n", [(1, b"bb")]),
        (b"ab\n", b"b\n", [(1, b"b")]),
        (b"a\r\nb\r\n", b"a\nb\nc\n", [(3, b"c")]),
        (b"a\nb\n", b"a\r\nb\r\n", []),
        (b"\xef\xbb\xbfa\n", b"a\nb\n", [(2, b"b")]),
        (b"a\n", b"", []),
        (b"a\0b", b"a\n", [(1, b"a")]),
        (b"a\n", b"a\0b\n", []),
        ("a\n".encode("utf-16"), b"a\nb\n", [(2, b"b")]),
        (b"a\n", "a\nä\n".encode("utf-16"), [(2, "ä".encode())]),
        (None, b"\xfe\xff" + "ä\n".encode("utf-16-be"), [(1, "ä".encode())]),
        (None, "ä\n".encode("utf-32"), [(1, "ä".encode())]),
        (None, b"\xff\xfea", [(1, "\N{REPLACEMENT CHARACTER}".encode())]),
        (None, b"\xff\xfe", []),
    ],
)
def test_lines(before: bytes | None, after: bytes, found: list[tuple[int, bytes]]) -> None:
    assert list(added.lines(before, after)) == found


def test_runs_follow_one_another() -> None:
    base, head = b"a\nb\nc\nd\n", b"a\nx\ny\nb\nc\nz\nd\n"
    assert list(added.runs(base, head)) == [Run(2, b"x\ny\n"), Run(6, b"z\n")]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\0", None),
        (b"a" * added.SNIFFED + b"\0", b"a" * added.SNIFFED + b"\0"),
        (b"\xff\xfe\0\0a\0\0\0", b"a"),
        (b"\xe4", b"\xe4"),
    ],
)
def test_text_is_told_from_binary(data: bytes, text: bytes | None) -> None:
    assert added.text(data) == text


@given(LINES, LINES, st.booleans(), st.booleans())
@settings(max_examples=300)
def test_added_are_those_the_head_has_more_often(
    old: list[bytes], new: list[bytes], ends: bool, ended: bool
) -> None:
    before = b"\n".join(old) + b"\n" * ends
    after = b"\n".join(new) + b"\n" * ended
    found = list(added.lines(before, after))
    whole = after.split(b"\n")[: -1 if after.endswith(b"\n") or not after else None]
    base = before.split(b"\n")[: -1 if before.endswith(b"\n") or not before else None]
    assert Counter(line for _, line in found) == Counter(whole) - Counter(base)
    assert all(whole[number - 1] == line for number, line in found)
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))


def test_blocks_are_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(added, "BLOCK", 4)
    base = b"".join(b"line %d\n" % n for n in range(100))
    head = base.replace(b"line 50\n", b"line 50\nnew\n")
    assert list(added.lines(base, head)) == [(52, b"new")]


def test_lines_beyond_those_remembered_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(added, "REMEMBERED", 2)
    base, head = b"1\n2\n3\n", b"0\n3\n2\n1\n0\n"
    assert list(added.lines(base, head)) == [(1, b"0"), (2, b"3"), (5, b"0")]
