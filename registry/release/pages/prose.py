"""Markdown from values: what strangers wrote becomes text, and nothing but text.

Pages are read on GitHub and on model hubs, and as they are: entities stand only for characters
that could make structure, mathematics, a mention or a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

UNSTATED = "not stated"
NAME, TEXT = 300, 2_000  # characters of a name, of a paragraph
PARAGRAPHS = 40

# Characters that print as nothing although str.isprintable accepts them.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_ENTITY = str.maketrans({c: f"&#{ord(c)};" for c in "&<>\\`*[]|~$^{}"})
_UNDERLINE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_GUARD = "&#8203;"  # a zero-width space that can be seen in the source
# Mentions, references and bare links are looked for after entities are decoded.
_REFERENCE = re.compile(r"(?i)@|(?<!&)#|(?<=gh-)(?=[0-9])|(?<=:)(?=//)|(?<=www)(?=\.)")
_FIRST = frozenset("-+=:0123456789")  # would begin a list or a rule


def visible(text: str, limit: int = TEXT) -> str:
    """Return text on one line: what cannot be seen is escaped, what is too long is cut."""
    kept = text if len(text) <= limit else text[: limit - 1] + "…"
    if kept.isprintable() and (kept.isascii() or not _UNSEEN.search(kept)):
        return kept
    return "".join(c if c.isprintable() and not _UNSEEN.match(c) else _escape(c) for c in kept)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def plain(text: str, limit: int = TEXT) -> str:
    """Quote text for cells, and for lines that something of ours begins."""
    quoted = visible(text, limit).strip().translate(_ENTITY)
    quoted = _UNDERLINE.sub("&#95;", quoted)
    return _REFERENCE.sub(rf"\g<0>{_GUARD}", quoted)


def opening(text: str, limit: int = TEXT) -> str:
    """Quote text for the beginning of a paragraph or of an item of a list."""
    quoted = plain(text, limit)
    return f"&#{ord(quoted[0])};{quoted[1:]}" if quoted[:1] in _FIRST else quoted


def code(text: str, limit: int = NAME) -> str:
    """Return text as code where that can hold it, else quoted."""
    shown = visible(text, limit)
    if not shown or "`" in shown or "|" in shown or shown != shown.strip():
        return opening(shown, limit)
    return f"`{shown}`"


def paragraphs(text: str) -> list[str]:
    """Quote what people wrote about a model; blank lines part its paragraphs."""
    parts = re.split(r"\n[ \t\r]*\n", text.replace("\r\n", "\n"))
    found = [" ".join(part.split()) for part in parts]
    kept = [opening(part) for part in found if part][:PARAGRAPHS]
    if not kept:
        return [UNSTATED.capitalize() + "."]
    return [line for part in kept for line in (part, "")][:-1]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> list[str]:
    """Return a table as lines; columns whose letter in `right` is "r" are figures."""
    marks = ("---:" if right[i : i + 1] == "r" else "---" for i in range(len(heads)))
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(marks)} |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2,000 files"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Return bytes as people say them: "455 kB"; "not stated" where nobody said (-1)."""
    if number < 0:
        return UNSTATED
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    if unit == "bytes":
        return count(number, "byte")
    return f"{amount:,.1f} {unit}" if amount < 10 else f"{amount:,.0f} {unit}"


def short(digest: str) -> str:
    """Return enough of a digest to tell it from others by eye."""
    return digest[:12]


def page(*sections: Iterable[str]) -> str:
    """Put sections one below the other, and one newline at the end."""
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def section(title: str, *blocks: Iterable[str]) -> list[str]:
    """Return a heading and its blocks, with blank lines between; nothing without a block."""
    kept = [list(block) for block in blocks]
    lines = [f"## {title}"]
    for block in kept:
        lines += ["", *block] if block else []
    return lines
