"""The one comment a pull request gets: verdict first, then what to do, then folded details."""

from __future__ import annotations

import html
from collections.abc import Mapping

from bot.finding import Rule
from bot.github.values import Target
from bot.report import render
from bot.report.neutral import markdown
from bot.verdict import Report

# Marks our comment. Somebody else's comment may hold it too: the author's id decides.
MARKER = "<!-- modelwarden:verdict -->"
TODO = "\n### What to do\n"  # where there is something
ROOM = 65_000  # bytes; GitHub takes 65,536 characters


def judged(report: Report, rules: Mapping[str, Rule], *, note: str = "", url: str = "") -> str:
    """Return the comment of a verdict; `note` is markdown of ours, for whoever may go on.

    It comes after the headline, or after what the author has to do where that is something.
    """
    foot = _foot(report.change.head, url)
    room = ROOM - len(f"{MARKER}\n\n{note}\n\n{foot}".encode())
    text = render(report, "markdown", rules, room=max(room, ROOM // 4))
    if note:  # of these lines only ours begin so: what others wrote is quoted
        before, line, after = text.partition("\n| Check |" if TODO in text else "\n")
        rest = after.removeprefix("\n")
        text = f"{before.rstrip()}\n\n{note.rstrip()}\n{line}{rest}"
    return f"{MARKER}\n{text}\n{foot}\n"


def broken(target: Target, reason: str, remedy: str) -> str:
    """Return the comment of a head that could not be judged."""
    return (
        f"{MARKER}\n## ❗ ERROR: this head could not be judged\n\n{markdown(reason, 500)}\n\n"
        f"What to do: {markdown(remedy, 500)}; `/warden check` judges it again.\n\n"
        f"{_foot(target.head, '')}\n"
    )


def _foot(head: str, url: str) -> str:
    # The address is ours: made to be text, it would lead nowhere.
    more = f' · <a href="{html.escape(url)}">full report</a>' if url else ""
    return f"<sub>Head <code>{head[:12]}</code>{more} · <code>/warden help</code></sub>"
