"""Moments that files of strangers state, as text that sorts by time."""

from __future__ import annotations

from datetime import UTC, datetime

LONGEST = 40  # letters; RFC 3339 needs no more


def utc(stated: object) -> str:
    """Return an RFC 3339 time or a TOML date-time in UTC to the second, "" for anything else.

    A time without a zone counts as UTC, as PEP 700 and PEP 751 ask for.
    """
    moment = stated
    if isinstance(stated, str):
        # Older fromisoformat takes less than RFC 3339 and newer more: both end here as "".
        if len(stated) > LONGEST or "T" not in stated:
            return ""
        try:
            moment = datetime.fromisoformat(stated)
        except ValueError:
            return ""
    if not isinstance(moment, datetime):
        return ""
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):  # the first and the last day there is
        return ""
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def days_between(earlier: str, later: str) -> int | None:
    """Return the whole days from one moment to another, None where either is no moment.

    Both are what `utc` returns, or a date alone ("2026-01-28"): that is its first second.
    """
    try:
        first, last = (datetime.fromisoformat(text) for text in (earlier, later))
    except ValueError:
        return None
    first, last = (m if m.tzinfo is not None else m.replace(tzinfo=UTC) for m in (first, last))
    return (last - first).days
