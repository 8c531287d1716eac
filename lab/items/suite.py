"""Suites: JSONL files of items to score, read strictly because a pull request may bring them.

One JSON object a line, all of one kind:

    {"text": ...}                                        predict the text
    {"text": ..., "label": "positive"}                   say its class
    {"prompt": ..., "choices": [...], "answer": 0}       say which is likeliest; an index
    {"prompt": ..., "target": ...}                       predict the continuation
    {"prompt": ..., "references": [...]}                 write it, until "stop" (a list) or
                                                         "max_tokens", the same on every line

`id` (default: the line number), `cluster` (items that are not independent share one) and
`fields` ({"language": "fr"}: each makes slices) are optional in all. Blank lines are skipped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from lab.errors import SuiteError
from lab.protocol import Generation, Item, Kind, Task
from security import strictjson

SIZE_LIMIT = 50_000_000
ITEM_LIMIT = 100_000
TEXT_LIMIT = 1_000_000
NAME_LIMIT = 200
CHOICE_LIMIT = 64
FIELD_LIMIT = 20
TOKENS_LIMIT = 4_096

_HINT = 'write one JSON object a line: {"text": ...} or {"prompt", "choices", "answer"}'
_LINE_LIMIT = 8 * TEXT_LIMIT
_COMMON = frozenset({"id", "cluster", "fields"})
# What a line must hold to be of a kind, the most telling first, and what else it may hold.
_KINDS: tuple[tuple[Kind, frozenset[str], frozenset[str]], ...] = (
    (Kind.LABEL, frozenset({"text", "label"}), frozenset()),
    (Kind.TEXT, frozenset({"text"}), frozenset()),
    (Kind.GENERATE, frozenset({"prompt", "references"}), frozenset({"stop", "max_tokens"})),
    (Kind.TARGET, frozenset({"prompt", "target"}), frozenset()),
    (Kind.CHOICES, frozenset({"prompt", "choices", "answer"}), frozenset()),
)
_USUAL = Generation(until=("\n",))


@dataclass(frozen=True, slots=True)
class _Line:
    item: Item
    kind: Kind
    generation: Generation


def read_task(name: str, data: bytes) -> Task:
    """Parse a suite. Raises SuiteError, which names the line."""
    if len(data) > SIZE_LIMIT:
        raise _error(f"{len(data):,} bytes, more than {SIZE_LIMIT:,}", name, 0)
    lines: list[_Line] = []
    seen: dict[str, int] = {}
    for number, text in enumerate(data.split(b"\n"), 1):
        if not text.strip():
            continue
        if len(lines) >= ITEM_LIMIT:
            raise _error(f"more than {ITEM_LIMIT:,} items", name, number)
        line = _line(text, name, number)
        if line.item.id in seen:
            first = seen[line.item.id]
            raise _error(f"id {line.item.id!r:.80} is already on line {first}", name, number)
        if lines and lines[0].kind is not line.kind:
            kinds = f"{lines[0].kind} items and {line.kind} items"
            raise _error(f"{kinds} in one suite", name, number)
        if lines and lines[0].generation != line.generation:
            raise _error("'stop' and 'max_tokens' differ from the first line's", name, number)
        seen[line.item.id] = number
        lines.append(line)
    if not lines:
        raise _error("no items", name, 0)
    return Task(
        name,
        _labelled(lines, name) if lines[0].kind is Kind.LABEL else tuple(x.item for x in lines),
        lines[0].kind,
        generation=lines[0].generation,
        digest=hashlib.sha256(data).hexdigest(),
    )


def _labelled(lines: list[_Line], name: str) -> tuple[Item, ...]:
    """Give every item the names of all classes."""
    labels = tuple(sorted({line.item.choices[0] for line in lines}))
    if len(labels) > CHOICE_LIMIT:
        raise _error(f"{len(labels):,} different labels, more than {CHOICE_LIMIT}", name, 0)
    places = {label: place for place, label in enumerate(labels)}
    items = (line.item for line in lines)
    return tuple(replace(i, choices=labels, answer=places[i.choices[0]]) for i in items)


def _line(text: bytes, name: str, number: int) -> _Line:
    try:
        value = strictjson.loads(text, limit=_LINE_LIMIT, depth=4)
    except strictjson.StrictJSONError as error:
        raise _error(str(error).removeprefix("line 1: "), name, number) from error
    if not isinstance(value, dict):
        raise _error("not a JSON object", name, number)
    kind, needed, more = next(k for k in _KINDS if k[1] <= value.keys() or k is _KINDS[-1])
    if unknown := sorted(value.keys() - needed - more - _COMMON):
        raise _error(f"unknown key {unknown[0]!r:.80}", name, number)
    try:
        return _parsed(value, kind, number)
    except ValueError as error:
        raise _error(str(error), name, number) from error


def _parsed(value: dict[str, Any], kind: Kind, number: int) -> _Line:
    identity = _string(value, "id", NAME_LIMIT, default=str(number))
    cluster = _string(value, "cluster", NAME_LIMIT, default="")
    fields, generation, answer = _fields(value), Generation(), 0
    context = _string(value, "text" if kind is Kind.LABEL else "prompt", TEXT_LIMIT, default="")
    if kind is Kind.CHOICES:
        _string(value, "prompt", TEXT_LIMIT)
        choices, answer = _choices(value)
    elif kind is Kind.GENERATE:
        choices, generation = _strings(value, "references", least=1), _generation(value)
    else:
        key = {Kind.TEXT: "text", Kind.TARGET: "target"}.get(kind, "label")
        choices = (_string(value, key, TEXT_LIMIT),)
    return _Line(Item(identity, context, choices, answer, cluster, fields), kind, generation)


def _choices(value: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    choices, answer = _strings(value, "choices", least=2), value.get("answer")
    if len(set(choices)) < len(choices):
        raise ValueError("two choices are the same")
    # bool is an int to Python, not to the author of a suite.
    if type(answer) is not int or not 0 <= answer < len(choices):
        raise ValueError(f"'answer' must be an index from 0 to {len(choices) - 1}")
    return choices, answer


def _strings(value: dict[str, Any], key: str, least: int) -> tuple[str, ...]:
    found = value.get(key)
    if not isinstance(found, list) or not least <= len(found) <= CHOICE_LIMIT:
        raise ValueError(f"{key!r} must be a list of {least} to {CHOICE_LIMIT} strings")
    return tuple(_checked(text, key, TEXT_LIMIT) for text in found)


def _generation(value: dict[str, Any]) -> Generation:
    until = _strings(value, "stop", least=0) if "stop" in value else _USUAL.until
    tokens = value.get("max_tokens", _USUAL.tokens)
    if type(tokens) is not int or not 1 <= tokens <= TOKENS_LIMIT:
        raise ValueError(f"'max_tokens' must be a number from 1 to {TOKENS_LIMIT:,}")
    return Generation(until, tokens)


def _fields(value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = value.get("fields", {})
    if not isinstance(found, dict) or len(found) > FIELD_LIMIT:
        raise ValueError(f"'fields' must be an object of at most {FIELD_LIMIT} values")
    fields = []
    for name, field in found.items():
        if isinstance(field, bool):
            field = str(field).lower()
        elif isinstance(field, int | float):
            field = str(field)
        fields.append((_checked(name, "fields", NAME_LIMIT), _checked(field, name, NAME_LIMIT)))
    return tuple(fields)


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
