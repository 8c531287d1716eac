"""How messages count things."""

from __future__ import annotations


def plural(count: int, one: str, many: str = "") -> str:
    """Return "1 file" or "2 files"; `many` is given where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
