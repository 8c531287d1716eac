"""Well-known package names: the 15,000 most downloaded, the most downloaded first."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path


@functools.cache
def ranks() -> Mapping[str, int]:
    """Return each well-known canonical name with its place, from 0."""
    text = Path(__file__).with_name("popular.txt").read_text(encoding="ascii")
    return {name: place for place, name in enumerate(text.split())}


def is_popular(name: str) -> bool:
    """Whether a canonical name is itself well known."""
    return name in ranks()
