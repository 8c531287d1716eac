"""HTML from small functions. Text becomes `Safe` only by quoting: a gap is a type error."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NewType

Safe = NewType("Safe", str)

EMPTY = Safe("")


def text(content: str) -> Safe:
    """Quote text for content and attributes alike."""
    return Safe(escape(content, quote=True))


def prose(content: str) -> Safe:
    """Quote a sentence; what stands between backticks becomes code."""
    parts = content.split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner
        return text(content)
    return join(tag("code", text(p)) if i % 2 else text(p) for i, p in enumerate(parts))


def join(parts: Iterable[Safe]) -> Safe:
    """Put parts one after the other."""
    return Safe("".join(parts))


def tag(name: str, *children: Safe, **attributes: str) -> Safe:
    """Return an element. `class_` is written as class, `text_anchor` as text-anchor."""
    names = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    written = "".join(f' {key}="{escape(value, quote=True)}"' for key, value in names)
    return Safe(f"<{name}{written}>{''.join(children)}</{name}>")


def when(condition: object, part: Safe) -> Safe:
    """Return the part where the condition holds, otherwise nothing."""
    return part if condition else EMPTY


def quiet(statement: str) -> Safe:
    """Return a paragraph in the small print."""
    return tag("p", text(statement), class_="quiet")
