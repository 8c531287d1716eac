"""Records of measurements in HTML, and the links from numbers to them."""

from __future__ import annotations

from collections.abc import Container, Iterable

from bot.exhibit import Record
from bot.report.markup import EMPTY, Safe, join, quiet, tag, text
from bot.report.numbers import SHOWN


def _anchor(digest: str) -> str:
    return "record-" + "".join(c for c in digest[:SHOWN] if c.isascii() and c.isalnum())


def link(digest: str, known: Container[str], shown: Safe) -> Safe:
    """Return what is shown as a link to its record, or as it is where the page has none."""
    if not digest or digest not in known:
        return shown
    title = f"record {digest[:SHOWN]}"
    return tag("a", shown, href=f"#{_anchor(digest)}", class_="source", title=title)


def source(digest: str, known: Container[str]) -> Safe:
    """Return a line that names the record of a table."""
    named = tag("code", text(digest[:SHOWN]))
    return tag("p", text("Record: "), link(digest, known, named), class_="quiet")


def facts(record: Record) -> Safe:
    """Return what a record says, and its whole digest."""
    parts = (("Digest", record.digest), *record.facts)
    shown = join(join((tag("dt", text(k)), tag("dd", text(v)))) for k, v in parts)
    return tag("dl", shown, class_="record")


def section(records: Iterable[Record]) -> Safe:
    """Return the records of a page, each once: numbers link to them."""
    found: dict[str, Record] = {}
    for record in records:
        found.setdefault(_anchor(record.digest), record)
    if not found:
        return EMPTY
    articles = join(
        tag("article", tag("h3", text(record.title)), facts(record), id=anchor)
        for anchor, record in found.items()
    )
    words = "What each measurement was made of: the same again gives the same numbers."
    return tag("section", tag("h2", text("Records")), quiet(words), articles)
