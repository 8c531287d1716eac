"""JSON that two readers cannot understand differently: no duplicate keys, no NaN, bounded depth."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_OTHERS = bytes(sorted({*range(256)} - {*b"[]{}"}))


class StrictJSONError(ValueError):
    """The text is not JSON under the strict rules; the message says which one it breaks."""


def loads(data: bytes, *, limit: int, depth: int = MAX_DEPTH) -> Any:
    """Parse UTF-8 JSON of at most `limit` bytes and `depth` levels.

    Raises StrictJSONError on bad UTF-8, duplicate keys, NaN or Infinity, or excess.
    """
    if len(data) > limit:
        raise StrictJSONError(f"{len(data):,} bytes, more than {limit:,}")
    if _too_deep(data, depth):
        raise StrictJSONError(f"nested deeper than {depth} levels")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise StrictJSONError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise StrictJSONError(f"line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise StrictJSONError("nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise StrictJSONError(str(error)) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise StrictJSONError(f"duplicate key {key!r:.80}")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise StrictJSONError(f"{name} is not JSON")


def _too_deep(data: bytes, depth: int) -> bool:
    # Few brackets at all cannot nest deeply: the common case costs one count.
    if data.count(b"[") + data.count(b"{") <= depth:
        return False
    level = 0
    # Only brackets outside of texts are left; a text that never ends hides what follows it.
    for byte in _TEXT.sub(b"", data).translate(None, _OTHERS):
        if byte in (0x5B, 0x7B):
            level += 1
            if level > depth:
                return True
        else:
            level -= 1
    return False
