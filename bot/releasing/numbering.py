"""Version numbers as they are typed."""

from __future__ import annotations

from bot.errors import UsageError
from security.errors import Malformed
from security.trust.releases import rank


def number(text: str) -> str:
    """Return a version as it is written everywhere, without "v". Raises UsageError."""
    try:
        rank(text)
    except Malformed as error:
        raise UsageError(error.message, error.hint) from error
    return text.removeprefix("v")
