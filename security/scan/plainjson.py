"""JSON as loaders of models read it: two equal keys are both seen, Infinity is no error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from security.strictjson import StrictJSONError

# Brackets and commas; each costs memory whatever it separates.
MAX_PARTS = 600_000
MAX_VOCABULARY = 3_000_000  # of `tokenizer.json`: the largest in use have some 2 million


class Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs, so that of two equal keys both are seen."""

    def all(self, key: str) -> Iterator[Any]:
        """Yield every value of a key."""
        return (value for known, value in self if known == key)


def load(data: bytes, *, parts: int = MAX_PARTS) -> Any:
    """Parse UTF-8 JSON of so many parts at most, objects as Pairs. Raises StrictJSONError."""
    if data.count(b"[") + data.count(b"{") + data.count(b",") > parts:
        raise StrictJSONError(f"more than {parts:,} parts")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=Pairs)
    except (ValueError, RecursionError) as error:
        raise StrictJSONError(str(error).split("\n", 1)[0]) from error


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield (key, value) of everything inside; members of lists have the key of the list."""
    waiting = [("", root)]
    while waiting:
        key, value = waiting.pop()
        yield key, value
        if isinstance(value, Pairs):
            waiting.extend(reversed(value))
        elif isinstance(value, list):
            waiting.extend((key, inner) for inner in reversed(value))


def brief(value: Any) -> str:
    """Return a value as a short line."""
    if isinstance(value, Pairs):
        value = dict(value)
    return f"{json.dumps(value):.120}"
