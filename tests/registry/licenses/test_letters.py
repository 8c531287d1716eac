"""Letters that hide what a licence text says."""

from __future__ import annotations

import pytest

from registry.licenses.letters import foreign, plain


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("no\u200bn\u00adcommercial\n", "noncommercial\n"),
        ("n\u043en-c\u043emm\u0435rcial", "non-commercial"),
        ("\u0441\u043e\u0440\u0443", "copy"),
        ("\uff2e\uff4f use", "No use"),
        ("\U0001d41a\U0001d41b", "ab"),
        ("\u202eno\u202c", "no"),
        ("\U000e0041", ""),
        # what is meant as it is written stays
        ("\u201cM\u00fcller\u201d \u00a9 \u2122", "\u201cM\u00fcller\u201d \u00a9 \u2122"),
        ("\u043d\u0435\u043b\u044c\u0437\u044f", "\u043d\u0435\u043b\u044c\u0437\u044f"),
        ("a\u2028b\r\n\fc", "a\u2028b\r\n\fc"),
    ],
)
def test_letters_as_they_look(text: str, seen: str) -> None:
    assert plain(text) == seen
    assert plain(seen) == seen


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("MIT\n\u7981\u6b62\u5546\u4e1a\u7528\u9014\n", [2]),
        ("x\n\n\u043d\u0435\u043b\u044c\u0437\u044f", [3]),
        ("Copyright (c) 2024 \u674e\u660e\u534e\u516c\u53f8", []),
        ("Copyright (c) 2024 " + "\u7981\u6b62" * 10, [1]),
        ("by \u674e\u660e", []),
        ("M\u00fcller & Ng\u00f4 \u0110\u00ecnh", []),
    ],
)
def test_lines_in_other_scripts(text: str, lines: list[int]) -> None:
    assert [line for line, _ in foreign(text)] == lines
