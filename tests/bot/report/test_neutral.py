from __future__ import annotations

import html
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.finding import Finding, Level, Location
from bot.report.neutral import (
    TEXT_LIMIT,
    cut,
    cut_bytes,
    harmless,
    markdown,
    redact,
    scrub,
    visible,
)
from bot.verdict import Outcome, Verdict
from tests.bot.report.samples import SECRETS

PIECES = (
    *("<!--", "-->", "<", "@", "#", "1", "a", "gh-", "GH-", "://", "https", "www", ".", "|", "`"),
    *("[", "](", ")", "!", "\n", "- ", "1. ", "&", "&#", ";", "\\", "\u202e", "\udc80"),
)
NASTY = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.text(alphabet=st.characters(), max_size=5),
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("kind", sorted(SECRETS))
@pytest.mark.parametrize("around", ["{}", "token={} end", '"{}"', "x {}\nnext", "\u200b{}", "@{}!"])
def test_secrets_are_redacted_wherever_they_stand(kind: str, around: str) -> None:
    secret = SECRETS[kind]
    shown = redact(around.format(secret))
    assert f"[redacted: {kind}]" in shown
    assert secret not in shown
    assert secret[8:-4] not in shown


@pytest.mark.parametrize(
    "text",
    [
        "risk-assessment-of-large-models-2024",
        "task-sk-learn",
        "sk-learn-contrib-something-or-other",
        "ghp_short",
        "hf_hub_download",
        "AKIAlowercase",
        "https://example.org/a@b",
        "0" * 40,
        "eyJ.eyJ",
    ],
)
def test_ordinary_words_are_no_secrets(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "part",
    [
        "eyJ",
        "eyJaaaaaa.",
        "sk-",
        "sk-a",
        "ghp_",
        "://",
        "://a:",
        "-----BEGIN ",
        "hf_a",
        "xoxb-",
        " ",
    ],
)
def test_redaction_takes_linear_time(part: str) -> None:
    started = time.process_time()
    redact(part * (200_000 // len(part)))
    assert time.process_time() - started < 2


def test_a_secret_is_redacted_before_the_text_is_cut() -> None:
    shown = harmless("x" * (TEXT_LIMIT - 10) + " " + SECRETS["GitHub token"])
    assert SECRETS["GitHub token"][:9] not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("na\u00efve \u4f60\u597d", "na\u00efve \u4f60\u597d"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202egnp", "\\u202egnp"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\udc80", "\\udc80"),
        ("\x9b", "\\x9b"),
        ("\u2028", "\\u2028"),
        ("\u3164", "\\u3164"),
        ("a\ufe0f", "a\\ufe0f"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_unseen_characters_are_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(alphabet=st.characters()))
def test_visible_text_is_printable_utf8(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    shown.encode()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_a_cut_says_how_much() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("a" * 1_203, 3) == "aaa… (1,200 more characters cut)"


@given(st.text(max_size=300), st.integers(60, 200))
def test_a_cut_of_bytes_keeps_the_limit_and_the_code_points(text: str, limit: int) -> None:
    shown = cut_bytes(text, limit)
    assert len(shown.encode()) <= limit
    assert shown == text or f"has {len(text.encode()):,} bytes" in shown
    assert "\ufffd" not in shown.replace("\ufffd", "", text.count("\ufffd"))


def _rendered(source: str) -> str:
    """What a reader of the rendered page gets."""
    return html.unescape(source)


@given(NASTY)
def test_markdown_cannot_make_structure(text: str) -> None:
    source = markdown(harmless(text))
    without_entities = re.sub(r"&#[0-9]+;", "", source)
    assert not set(without_entities) & set("<>`*_[]()|~!$\\&^={}\"'\n")
    assert not re.match(r"[-+0-9]", source)
    shown = _rendered(source)
    assert not re.search(r"(?i)[@#](?!\u200b)|gh-[0-9]|://|www\.", shown)
    assert not re.search(r"(?i)://|www\.|@[a-z0-9]|gh-[0-9]|<!--", source)


@given(NASTY)
def test_markdown_shows_the_text_itself(text: str) -> None:
    plain = harmless(text)
    assert _rendered(markdown(plain)).replace("\u200b", "") == plain


@given(st.integers(0, 50), NASTY)
def test_markdown_is_cut_before_it_is_quoted(limit: int, text: str) -> None:
    plain = harmless(text)
    shown = _rendered(markdown(plain, limit)).replace("\u200b", "")
    assert shown == cut(plain, limit)


def test_scrub_reaches_every_text_and_keeps_enums() -> None:
    finding = Finding("a/b", Level.NOTE, "\x1b", "\u202e", Location("\udc80", 3), "\u200b")
    found = scrub(Verdict("c\x00", Outcome.FAIL, (finding,), SECRETS["AWS key"], (), 0.5))
    assert found.check == "c\\x00"
    assert found.outcome is Outcome.FAIL
    assert found.reason == "[redacted: AWS key]"
    assert found.findings[0] == Finding(
        "a/b", Level.NOTE, "\\x1b", "\\u202e", Location("\\udc80", 3), "\\u200b"
    )
    assert found.seconds == 0.5
