"""How answers show a stranger's words, lines to type, times and minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from bot.report.neutral import harmless, markdown, visible

SHORT = 200  # characters of a stranger's words in a sentence
NAMES = 10  # of a list within a sentence
SPANS = 20  # backticks of a sentence that may become code


def quoted(text: str, limit: int = SHORT) -> str:
    """Return a stranger's words so that they make no structure, mention, link or secret."""
    return markdown(harmless(text), limit)


def code(text: str, limit: int = SHORT) -> str:
    """Return text as code within a sentence; entities are not decoded between backticks."""
    return f"<code>{quoted(text, limit)}</code>"


def listed(names: Sequence[str]) -> str:
    """Return names as code, at most NAMES of them and how many more there are."""
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(map(code, names[:NAMES])) + more


def prose(text: str) -> str:
    """Return a sentence, what stands between its backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0 or len(parts) > 2 * SPANS:
        return quoted(text, 1_000)
    return "".join(code(p) if i % 2 else quoted(p, 1_000) for i, p in enumerate(parts))


def ended(text: str) -> str:
    """Return a sentence with its full stop."""
    return text if text.endswith((".", "?")) else text + "."


def typed(line: str) -> str:
    """Return a line to type as a block of its own, which GitHub offers to copy."""
    safe = visible(line).replace("`", "'")
    return f"```\n{safe}\n```"


def moment(at: float) -> str:
    """Return a time (seconds since the epoch) as people read it."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def minutes(count: float) -> str:
    """Return minutes rounded up: "1 minute", "90 minutes"."""
    if not math.isfinite(count):
        return "an unknown number of minutes"
    whole = max(0, math.ceil(count))
    return f"{whole:,} {'minute' if whole == 1 else 'minutes'}"
