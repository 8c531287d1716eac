"""Suites: JSONL files of items to score, read strictly because a pull request may bring them.

One JSON object a line, all of one kind: `{"text": ...}`, or `{"prompt": ..., "choices": [...],
"answer": 0}` with the answer as an index. `id` (default: the line number) and `cluster` (items
that are not independent share one) are optional in both. Blank lines are skipped.
"""

from __future__ import annotations

from typing import Any

from lab.errors import SuiteError
from lab.protocol import Item, Task
from security import strictjson

SIZE_LIMIT = 50_000_000
ITEM_LIMIT = 100_000
TEXT_LIMIT = 1_000_000
NAME_LIMIT = 200
CHOICE_LIMIT = 64

_HINT = 'write one JSON object a line: {"text": ...} or {"prompt", "choices", "answer"}'
_LINE_LIMIT = 8 * TEXT_LIMIT
_TEXT_KEYS = frozenset({"text", "id", "cluster"})
_CHOICE_KEYS = frozenset({"prompt", "choices", "answer", "id", "cluster"})


def read_task(name: str, data: bytes) -> Task:
    """Parse a suite. Raises SuiteError, which names the line."""
    if len(data) > SIZE_LIMIT:
        raise _error(f"{len(data):,} bytes, more than {SIZE_LIMIT:,}", name, 0)
    items: list[Item] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        if len(items) >= ITEM_LIMIT:
            raise _error(f"more than {ITEM_LIMIT:,} items", name, number)
        item = _item(line, name, number)
        if item.id in seen:
            raise _error(f"id {item.id!r:.80} is already on line {seen[item.id]}", name, number)
        if items and items[0].is_text != item.is_text:
            raise _error("text items and choice items in one suite", name, number)
        seen[item.id] = number
        items.append(item)
    if not items:
        raise _error("no items", name, 0)
    return Task(name, tuple(items))


def _item(line: bytes, name: str, number: int) -> Item:
    try:
        value = strictjson.loads(line, limit=_LINE_LIMIT, depth=4)
    except strictjson.StrictJSONError as error:
        raise _error(str(error).removeprefix("line 1: "), name, number) from error
    if not isinstance(value, dict):
        raise _error("not a JSON object", name, number)
    known = _TEXT_KEYS if "text" in value else _CHOICE_KEYS
    if unknown := sorted(value.keys() - known):
        raise _error(f"unknown key {unknown[0]!r:.80}", name, number)
    try:
        identity = _string(value, "id", NAME_LIMIT, default=str(number))
        cluster = _string(value, "cluster", NAME_LIMIT, default="")
        if "text" in value:
            text = _string(value, "text", TEXT_LIMIT)
            return Item(identity, "", (text,), 0, cluster)
        choices, answer = _choices(value)
        return Item(identity, _string(value, "prompt", TEXT_LIMIT), choices, answer, cluster)
    except ValueError as error:
        raise _error(str(error), name, number) from error


def _choices(value: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    choices, answer = value.get("choices"), value.get("answer")
    if not isinstance(choices, list) or not 2 <= len(choices) <= CHOICE_LIMIT:
        raise ValueError(f"'choices' must be a list of 2 to {CHOICE_LIMIT} strings")
    for choice in choices:
        _checked(choice, "choices", TEXT_LIMIT)
    if len(set(choices)) < len(choices):
        raise ValueError("two choices are the same")
    # bool is an int to Python, not to the author of a suite.
    if type(answer) is not int or not 0 <= answer < len(choices):
        raise ValueError(f"'answer' must be an index from 0 to {len(choices) - 1}")
    return tuple(choices), answer


def _string(value: dict[str, Any], key: str, limit: int, default: str | None = None) -> str:
    if default is not None and key not in value:
        return default
    return _checked(value.get(key), key, limit, empty=key in ("prompt", "cluster"))


def _checked(text: object, key: str, limit: int, *, empty: bool = False) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{key!r} must be a string")
    if not text and not empty:
        raise ValueError(f"{key!r} is empty")
    if len(text) > limit:
        raise ValueError(f"{key!r} has {len(text):,} characters, more than {limit:,}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{key!r} holds half a surrogate pair: not Unicode text") from error
    return text


def _error(message: str, name: str, line: int) -> SuiteError:
    return SuiteError(message, _HINT, file=name, line=line)
