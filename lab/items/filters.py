"""From what a model wrote to its answer: the filters of lm-evaluation-harness that need no code.

An option is a string, or the JSON of what is none: -1, true, ["a", "b"], {"A": "0"}. What a
filter makes of a text is a text: where the harness would have None or fail, the fallback.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from lab.errors import SuiteError
from lab.protocol import Filter, Item

TEXT_LIMIT = 100_000  # characters that a filter looks at
INVALID = "[invalid]"
NUMBER = r"#### (\-?[0-9\.\,]+)"

_Step = Callable[[str, Item], str]


def check(filters: tuple[Filter, ...]) -> None:
    """Raise SuiteError where one of the filters is unknown or its options are."""
    for one in filters:
        _step(one)


def apply(filters: tuple[Filter, ...], text: str, item: Item) -> str:
    """Return the text after the filters, in their order. Raises SuiteError."""
    for one in filters:
        text = _step(one)(text[:TEXT_LIMIT], item)
    return text


def _step(one: Filter) -> _Step:
    if one.name not in _MAKERS:
        hint = f"use one of {', '.join(_MAKERS)}, or compute the answer outside"
        raise SuiteError(f"filter {one.name!r:.80} is not supported", hint)
    make, allowed = _MAKERS[one.name]
    options = dict(one.options)
    if unknown := sorted(options.keys() - allowed):
        known = ", ".join(sorted(allowed)) or "none"
        message = f"filter {one.name!r}: unknown option {unknown[0]!r:.80}"
        raise SuiteError(message, f"its options are: {known}")
    try:
        return make(options)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        message = f"filter {one.name!r}: {str(error)[:200]!r}"
        raise SuiteError(message, "correct the filter's options") from error


def _take_first(_: dict[str, str]) -> _Step:
    # There is one answer to an item, and it is the first.
    return lambda text, _: text


def _remove_whitespace(_: dict[str, str]) -> _Step:
    return lambda text, _: text.strip()


def _lowercase(_: dict[str, str]) -> _Step:
    return lambda text, _: text.lower()


def _uppercase(_: dict[str, str]) -> _Step:
    return lambda text, _: text.upper()


def _map(options: dict[str, str]) -> _Step:
    table = _value(options, "mapping_dict", dict, {})
    if not all(isinstance(value, str | int) for value in table.values()):
        raise ValueError("mapping_dict must be of strings and numbers")
    default = options.get("default_value", INVALID)
    return lambda text, _: str(table.get(text, default))


def _regex(options: dict[str, str]) -> _Step:
    pattern = re.compile(options.get("regex_pattern", NUMBER))
    place = _value(options, "group_select", int, 0)
    fallback = options.get("fallback", INVALID)

    def step(text: str, _: Item) -> str:
        found = _select(pattern, place, text)
        return fallback if found is None else found

    return step


def _select(pattern: re.Pattern[str], place: int, text: str) -> str | None:
    """Return the `place`-th match, or the first of its groups that is not empty."""
    found: list[Any] = pattern.findall(text)
    if not found or not -len(found) <= place < len(found):
        return None
    match = found[place]
    if isinstance(match, tuple):
        match = next((group for group in match if group), None)
    return None if match is None else str(match).strip()


def _value(options: dict[str, str], name: str, kind: type, default: Any) -> Any:
    """Return what the JSON of an option says. Raises ValueError where it is of another kind."""
    found = json.loads(options[name]) if name in options else default
    if type(found) is not kind:
        raise ValueError(f"{name} must be of type {kind.__name__}")
    return found


_MAKERS: dict[str, tuple[Callable[[dict[str, str]], _Step], frozenset[str]]] = {
    "regex": (_regex, frozenset({"regex_pattern", "group_select", "fallback"})),
    "remove_whitespace": (_remove_whitespace, frozenset()),
    "lowercase": (_lowercase, frozenset()),
    "uppercase": (_uppercase, frozenset()),
    "map": (_map, frozenset({"mapping_dict", "default_value"})),
    "take_first": (_take_first, frozenset()),
}
