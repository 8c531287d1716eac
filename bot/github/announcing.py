"""A release is announced in the pull request that made it: one comment, edited in place."""

from __future__ import annotations

import hashlib

from bot.github.comment import ROOM
from bot.github.errors import NotFound
from bot.github.repository import Repository
from bot.github.values import Comment
from bot.report.neutral import cut_bytes


def marker(tag: str) -> str:
    """Return what an announcement begins with, unseen: by it, and our account, it is found."""
    return f"<!-- modelwarden:released:{hashlib.sha256(tag.encode()).hexdigest()[:16]} -->"


def announced(at: Repository, number: int, tag: str) -> Comment | None:
    """Return our announcement of a tag in a pull request, None where there is none."""
    us, begins = at.line.identity().bot.id, marker(tag)
    every = at.comments(number)
    return next((c for c in every if c.author.id == us and c.body.startswith(begins)), None)


def announce(at: Repository, number: int, tag: str, text: str) -> Comment:
    """Say in a pull request that `tag` was released; `text` is markdown of ours.

    What was said before is edited, and is not edited where it is the same. Raises GitHubError.
    """
    body = f"{marker(tag)}\n{cut_bytes(text, ROOM).rstrip()}\n"
    found = announced(at, number, tag)
    if found is not None and found.body.strip() == body.strip():
        return found
    if found is not None:
        try:
            return at.update_comment(found.id, body)
        except NotFound:  # deleted since
            pass
    return at.create_comment(number, body, marker(tag))
