"""Makes hostile text harmless: file names, commit messages and model output end up in reports.

`scrub` runs once over a whole report, for every format: secrets are redacted, characters that
cannot be seen are written as escapes, long texts are cut. The formats add their own quoting.
"""

from __future__ import annotations

import operator
import re
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")

TEXT_LIMIT = 2_000  # characters of one text in a report

# Every pattern is linear: repeats are bounded, possessive, or start at a token boundary.
_START = r"(?<![A-Za-z0-9])"
_SECRETS = (
    ("GitHub token", _START + r"(?:gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_[A-Za-z0-9_]{16,}+)"),
    ("GitLab token", _START + r"glpat-[A-Za-z0-9_-]{16,}+"),
    ("AWS key", _START + r"(?:AKIA|ASIA)[A-Z0-9]{16}"),
    ("Hugging Face token", _START + r"hf_[A-Za-z0-9]{16,}+"),
    ("API key", _START + r"sk-(?=[A-Za-z_-]{0,200}[0-9])[A-Za-z0-9_-]{16,}+"),
    ("Google key", _START + r"AIza[A-Za-z0-9_-]{35}"),
    ("Slack token", _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,}+"),
    ("npm token", _START + r"npm_[A-Za-z0-9]{30,}+"),
    ("PyPI token", _START + r"pypi-[A-Za-z0-9_-]{32,}+"),
    ("JWT", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}+\.[A-Za-z0-9_-]{6,}+\.[A-Za-z0-9_-]*+"),
    ("password", r"(?<=://)[^/\s:@]{0,100}:[^/\s@]{1,300}(?=@)"),
    (
        "private key",
        r"(?s:-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
    ),
)
# Most texts hold none of these, and looking for them is ten times cheaper than the patterns.
_MARKS = (
    *("gh", "glpat-", "AKIA", "ASIA", "hf_", "sk-", "AIza", "xox", "npm_", "pypi-", "eyJ", "://"),
    "-----BEGIN",
)
_NAMES = tuple(name for name, _ in _SECRETS)
_SECRET = re.compile("|".join(f"({pattern})" for _, pattern in _SECRETS))

# Characters that print as nothing although str.isprintable accepts them.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_MARKDOWN = str.maketrans({c: f"&#{ord(c)};" for c in "&<>\"'`*_[]()|~!$\\{}^="})
_BULLETS = frozenset("-+0123456789")
_GUARD = "&#8203;"  # a zero-width space, written so that it can be seen in the source
_GUARDED = rf"\g<0>{_GUARD}"
# "&#" begins an entity of ours: a "&" of the text is an entity by then.
_REFERENCE = re.compile(r"(?i)@|(?<!&)#|(?<=gh-)(?=[0-9])|(?<=:)(?=//)|(?<=www)(?=\.)")


def redact(text: str) -> str:
    """Replace what is shaped like a secret by its kind."""
    if not any(mark in text for mark in _MARKS):
        return text
    return _SECRET.sub(lambda found: f"[redacted: {_NAMES[(found.lastindex or 1) - 1]}]", text)


def visible(text: str) -> str:
    """Write control, bidirectional, zero-width and undecodable characters as escapes."""
    if text.isprintable() and (text.isascii() or not _IGNORABLE.search(text)):
        return text
    return "".join(c if c.isprintable() and not _IGNORABLE.match(c) else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, and how much was cut."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters cut)"


def cut_bytes(text: str, limit: int) -> str:
    """Return at most `limit` bytes of UTF-8, cut on a code point, and how much was cut."""
    data = text.encode()
    if len(data) <= limit:
        return text
    statement = f"\n\n… cut: the whole text has {len(data):,} bytes.\n"
    kept = data[: limit - len(statement.encode())]
    return kept.decode(errors="ignore") + statement


def harmless(text: str) -> str:
    """Return one text without secrets and unseen characters, at most TEXT_LIMIT long."""
    return visible(cut(redact(text), TEXT_LIMIT))


def scrub(value: T) -> T:
    """Return the value with every text in it made harmless, through tuples and dataclasses."""
    return cast(T, _scrub(value))


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _scrub(value: Any) -> Any:
    if type(value) is str:  # not its enums
        return harmless(value)
    if isinstance(value, tuple):
        items = tuple(map(_scrub, value))
        return value if all(map(operator.is_, items, value)) else items
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for name in _names(type(value)):
            before = getattr(value, name)
            after = _scrub(before)
            if after is not before:
                changed[name] = after
        return replace(value, **changed) if changed else value
    return value


def markdown(text: str, limit: int = TEXT_LIMIT) -> str:
    """Quote text for GitHub's markdown, valid in paragraphs, tables and HTML alike.

    Entities cannot make structure; but mentions and references are looked for after they
    are decoded, so those are broken by a zero-width space.
    """
    quoted = _REFERENCE.sub(_GUARDED, cut(text, limit).translate(_MARKDOWN))
    # A first "-", "+" or "1." would begin a list.
    return f"&#{ord(quoted[0])};{quoted[1:]}" if quoted[:1] in _BULLETS else quoted
