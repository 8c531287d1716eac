"""The words of a source file that are about it: its comments and docstrings.

A licence named in a string, or in code, is what a program talks about.
"""

from __future__ import annotations

import re

from bot.checks.provenance import encoding

LINE = 10_000  # characters of a line that count: a whole paragraph may be one
_COMMENT = re.compile(
    r"\s*(?:#(?!define|include|if|elif|else|endif|pragma|undef|import)|//|/\*|\*|--|;|%|<!--"
    r"|rem\b|dnl\b|\.\.\s)",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"\s(?:#|//)\s")
_QUOTES = re.compile(r"\"\"\"|'''")
_OPENED = re.compile(r"\s*(/\*|<!--)")
_DOCSTRING = re.compile(r"\s*[rRuU]?(?:\"\"\"|''')")
_CLOSES = {'"""': '"""', "'''": "'''", "/*": "*/", "<!--": "-->"}


def prose(data: bytes, language: str = "") -> list[str]:
    """Return the lines of a file: as they are where they are words, else "".

    `language` is "py" or "ipynb" where it is one of these.
    """
    opens = _QUOTES if language == "py" else _OPENED
    found: list[str] = []
    closing, told = "", False  # what ends the comment or string that is open, and whether it counts
    for raw in encoding.lines(data):
        line = raw[:LINE].rstrip()
        if language == "ipynb":
            line = _cell(line)
        if closing:
            found.append(line if told else "")
            closing = "" if closing in line else closing
            continue
        docstring = language == "py" and _DOCSTRING.match(line) is not None
        found.append(line if docstring or _COMMENT.match(line) else _after_code(line))
        opened = opens.search(line) if opens is _QUOTES else opens.match(line)
        mark = opened[0].strip() if opened else ""
        if opened and _CLOSES[mark] not in line[opened.end() :]:
            closing, told = _CLOSES[mark], docstring or opens is _OPENED
    return found


def _cell(line: str) -> str:
    line = line.strip().removesuffix(",").removesuffix('"').removesuffix("\\n")
    return line.removeprefix('"')


def _after_code(line: str) -> str:
    """Return the comment after code on a line, "" where there is none, or it is in a string."""
    comment = _TRAILING.search(line)
    if comment is None:
        return ""
    before = line[: comment.start()]
    return "" if before.count('"') % 2 or before.count("'") % 2 else line[comment.start() :]
