"""Templates of chats: parsed to a syntax tree by Jinja's own parser, judged, never rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from security.scan.source import Source
from security.scan.templates import judge_tree
from security.scan.unseen import unseen
from security.scan.values import Report

if TYPE_CHECKING:
    from jinja2.nodes import Template

MAX_TEMPLATE = 256 << 10  # bytes; the longest in use have about 30 thousand
_BROKEN = "is no Jinja template"


def read(source: Source, report: Report) -> None:
    """Judge a file that is one template."""
    if source.size > MAX_TEMPLATE:
        report.doubt("limit", f"a template of {source.size:,} bytes, more than {MAX_TEMPLATE:,}")
        return
    data = source.read(0, source.size)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        report.doubt("broken", "a template that is not UTF-8", error.start)
        return
    judge(text, report)


def judge(text: str, report: Report, *, label: str = "template", at: int | None = None) -> None:
    """Judge one template. `at` is the offset to name for all of it, else each place has its own."""
    if len(text) > MAX_TEMPLATE:
        report.doubt("limit", f"{label} of {len(text):,} characters, more than {MAX_TEMPLATE:,}")
        return
    for before, what in unseen(text):
        offset = len(text[:before].encode("utf-8", "replace")) if at is None else at
        report.threat("hidden-text", f"{label} has {what}", offset)
    if "{" not in text:
        return  # plain text means the same to every reader
    tree = _parse(text, report, label, 0 if at is None else at)
    if tree is None:
        return
    for found in judge_tree(tree):
        offset = _offset(text, found.line) if at is None else at
        said = f"{label}, line {found.line}: {found.what}"
        (report.threat if found.certain else report.doubt)(found.rule, said, offset)


def _parse(text: str, report: Report, label: str, at: int) -> Template | None:
    try:
        from security.scan.grammar import SyntaxProblem, parse
    except ImportError:
        report.doubt("unread", f"{label} is not read: the package jinja2 is not installed", at)
        return None
    try:
        return parse(text)
    except SyntaxProblem as error:
        report.doubt("broken", f"{label} {_BROKEN}: {error}", at)
    except RecursionError:
        report.doubt("limit", f"{label} is nested too deeply to be read", at)
    except (ValueError, OverflowError):  # a number of thousands of digits
        report.doubt("limit", f"{label} holds a number too long to be read", at)
    return None


def _offset(text: str, line: int) -> int:
    """Return the byte at which a line begins."""
    start = 0
    for _ in range(line - 1):
        found = text.find("\n", start)
        if found < 0:
            break
        start = found + 1
    return len(text[:start].encode("utf-8", "replace"))
