"""JSON and JSONL: every text of a record, whatever its shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lab.data.records import FIX, Bounded, Limits, Record
from lab.errors import DataError

DEPTH = 64


class _Twice(ValueError):
    """An object has a key twice."""


def lines(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield a record for each line; one that cannot be read says so and hides no other."""
    number, bad = 0, ""
    while line := source.readline(limits.line + 1):
        if len(line) > limits.line:
            while line and not line.endswith(b"\n"):
                line = source.readline(limits.line)
            number += 1
            yield Record(number, trouble=f"a line of more than {limits.line:,} bytes")
            continue
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        value, bad = _loaded(line)
        texts, deep = ((), "") if bad else texts_of(value, fields)
        yield Record(number, texts, bad or deep)


def document(source: Bounded, fields: tuple[str, ...], limits: Limits) -> Iterator[Record]:
    """Yield a record for each value of the one list in a file, or one for the whole."""
    data = source.whole()
    value, bad = _loaded(data.removeprefix(b"\xef\xbb\xbf"))
    if bad:
        raise DataError(bad, FIX, line=1)
    listed = next((v for v in value.values() if _records(v)), None) if _wraps(value) else value
    for item in listed if isinstance(listed, list) else [value]:
        # The parser keeps no places: line 1 is all that is known of a record.
        texts, deep = texts_of(item, fields)
        yield Record(1, texts, deep)


def _wraps(value: Any) -> bool:
    return isinstance(value, dict) and sum(map(_records, value.values())) == 1


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _loaded(data: bytes) -> tuple[Any, str]:
    """Return the value, and why there is none. NaN passes: Python's own writers make it."""
    try:
        return _DECODER.decode(data.decode("utf-8")), ""
    except UnicodeDecodeError as error:
        return None, f"not UTF-8 at byte {error.start}"
    except _Twice:
        return None, "a key that comes twice"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg}"
    except (ValueError, RecursionError):
        return None, "not JSON that can be read: a number too long, or nested too deeply"


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers disagree which of two values counts, so the one that is not seen could be it.
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_table)  # json.loads makes one for each call


def texts_of(value: Any, fields: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the texts in a value, in order, and what is wrong with it.

    `fields` are keys at any depth, so "content" finds the turns of a chat.
    """
    if not fields and isinstance(value, dict):  # a flat record, as most are
        kinds = {type(part) for part in value.values()}
        if list not in kinds and dict not in kinds:
            return tuple(part for part in value.values() if isinstance(part, str)), ""
    found: list[str] = []
    waiting: list[tuple[Any, bool, int]] = [(value, not fields, 0)]
    while waiting:
        one, wanted, depth = waiting.pop()
        if depth > DEPTH:
            return tuple(found), f"nested deeper than {DEPTH} levels"
        if isinstance(one, str):
            if wanted:
                found.append(one)
        elif isinstance(one, list):
            waiting += [(part, wanted, depth + 1) for part in reversed(one)]
        elif isinstance(one, dict):
            parts = [(part, wanted or key in fields, depth + 1) for key, part in one.items()]
            waiting += reversed(parts)
    return tuple(found), ""
