"""What every page has in common: head, navigation, footer, headers of the answer, dates."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

from bot.report.markup import EMPTY, Safe, join, tag, text, when
from bot.report.neutral import harmless
from bot.report.stylesheet import CSS

SHORT = 28  # characters of a name that is not broken
EXTRA = """
nav{max-width:64rem;margin:0 auto;padding:.8rem 1.25rem 0;display:flex;flex-wrap:wrap;
gap:.3rem 1.2rem;align-items:baseline}
nav b{letter-spacing:.04em}
a.skip{position:absolute;left:-99rem}
a.skip:focus{position:static}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
main>h1{margin-bottom:1rem}
section>h3{margin-top:1.1rem}
.scroll{position:relative}
.scroll td{min-width:6.5rem}
.scroll td code,.nowrap{white-space:nowrap}
.words{min-width:15rem}
.line{margin:.15rem 0}
.line .badge{margin-right:.5rem}
.facts>:last-child{grid-column:auto}
"""
STYLE = CSS + EXTRA


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_digest(STYLE)}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "interest-cohort=()",
    "cache-control": "no-store",
}


def page(title: str, *sections: Safe, note: str = "") -> str:
    """Return a whole document."""
    head = join(
        (
            Safe('<head><meta charset="utf-8">'),
            Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Safe('<meta name="referrer" content="no-referrer">'),
            Safe('<link rel="icon" href="data:,">'),
            tag("title", shown(title), text(" · Modelwarden")),
            Safe(f"<style>{STYLE}</style></head>\n"),
        )
    )
    skip = tag("a", text("Skip to the content"), href="#content", class_="skip")
    foot = tag("footer", tag("p", text(note or "Read-only. Times are UTC.")))
    body = tag("body", skip, navigation(), tag("main", *sections, id="content"), foot)
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def navigation(*more: Safe) -> Safe:
    """Return the links every page begins with, and those of this one."""
    own = (
        tag("b", text("MODELWARDEN")),
        link("/", "Status"),
        link("/queue", "Queue"),
    )
    return tag("nav", *own, *more, aria_label="Pages")


def shown(content: str) -> Safe:
    """Quote what somebody else may have written, without secrets and unseen characters."""
    return text(harmless(content))


def brief(content: str) -> Safe:
    """Quote a name, on one line where it is a short one."""
    return tag("span", shown(content), **_width(content))


def link(path: str, label: str) -> Safe:
    """Return a link to a page of ours; `path` is made with `place`."""
    return tag("a", shown(label), href=path, **_width(label))


def _width(content: str) -> dict[str, str]:
    return {"class_": "nowrap"} if len(content) <= SHORT else {}


def place(*parts: object, page: int = 1) -> str:
    """Return the path of a page: each part is one step or, in a name, owner/name."""
    path = "/" + "/".join(quote(str(part), safe="/") for part in parts)
    return path if page <= 1 else f"{path}?page={page}"


def badge(word: str) -> Safe:
    """Return an outcome as a coloured word."""
    known = word if word.isalpha() and word.isascii() else "unknown"
    return tag("span", shown(word.upper() or "?"), class_=f"badge {known.lower()}")


def moment(at: float) -> Safe:
    """Return a time as people and machines read it; a dash where there is none."""
    if not 0 < at < 1e11:
        return text("–")
    when_ = datetime.fromtimestamp(at, UTC)
    exact = when_.isoformat(timespec="seconds")
    return tag("time", text(f"{when_:%Y-%m-%d %H:%M}"), datetime=exact, class_="nowrap")


def table(caption: str, columns: Iterable[str], rows: Iterable[tuple[Safe, ...]]) -> Safe:
    """Return a table whose first column names its rows; a sentence where it has none."""
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    if not body:
        return tag("p", text("None."), class_="quiet")
    head = tag("thead", tag("tr", *(tag("th", text(c), scope="col") for c in columns)))
    named = when(caption, tag("caption", text(caption)))
    whole = tag("table", named, head, tag("tbody", *body))
    return tag("div", whole, class_="scroll", tabindex="0", role="region",
               aria_label=caption or "table")  # fmt: skip


def section(title: str, *parts: Safe) -> Safe:
    """Return a titled part of a page."""
    return tag("section", tag("h2", text(title)), *parts)


def pager(path: str, number: int, more: bool) -> Safe:
    """Return the links to the page before and the page after."""
    base = path.partition("?")[0]
    before = tag("a", text("newer"), href=f"{base}?page={number - 1}", rel="prev")
    after = tag("a", text("older"), href=f"{base}?page={number + 1}", rel="next")
    if number <= 1 and not more:
        return EMPTY
    links = (when(number > 1, before), text(f" page {number} "), when(more, after))
    return tag("p", *links, class_="quiet")
