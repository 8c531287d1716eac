"""Whether a comment is listened to at all: written by a person, just now, and not edited."""

from __future__ import annotations

from datetime import datetime

from bot.github.values import Comment

OLDEST = 3 * 86_400.0  # seconds; as long as GitHub keeps deliveries for another attempt
AHEAD = 600.0  # seconds that clocks may differ


def unheard(comment: Comment, now: float) -> str:
    """Return why nothing in the comment counts, "" where it is read.

    An edited comment may not be what its author wrote: people with rights can edit others'.
    """
    if comment.app or comment.author.bot:
        return "it was written by an App or a bot"
    if comment.updated_at != comment.created_at:
        return "it was edited; only a new comment counts"
    try:
        written = datetime.fromisoformat(comment.created_at)
    except ValueError:
        return "its date cannot be read"
    if written.tzinfo is None:
        return "its date names no time zone"
    age = now - written.timestamp()
    if age > OLDEST:
        return "it is more than three days old"
    return "its date lies ahead" if age < -AHEAD else ""
