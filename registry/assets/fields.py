"""YAML and JSON as a flat run of keys with values and lines; what is too deep is passed over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.documents import ALIASES, DocumentError, KeyPath, load_yaml, text_of
from security.scan.plainjson import Pairs
from security.scan.plainjson import load as load_json
from security.strictjson import StrictJSONError

LIMIT = 2_000_000  # bytes of one configuration
MAX_DEPTH = 12
MAX_ENTRIES = 50_000
MAX_PLACES = 20  # lines remembered of one text
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"')  # a JSON text never spans lines


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a mapping with its value, or a text in a list; `line` is 1-based."""

    path: KeyPath
    value: Any
    line: int

    @property
    def key(self) -> str:
        """The key, of a list's members that of the list."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    @property
    def text(self) -> str:
        """The value where it is text, without spaces around it; else ""."""
        return self.value.strip() if isinstance(self.value, str) else ""


def read(data: bytes, *, is_json: bool) -> tuple[Field, ...]:
    """Return every key of a document. Raises DocumentError."""
    return tuple(_of_json(data) if is_json else _of_yaml(data))


def _of_yaml(data: bytes) -> Iterator[Field]:
    document = load_yaml(data, limit=LIMIT, aliases=ALIASES)
    for path, value in _walk(document.value):
        yield Field(path, value, document.line(path))


def _of_json(data: bytes) -> Iterator[Field]:
    text = text_of(data, limit=LIMIT)
    try:
        value = load_json(data)
    except StrictJSONError as error:
        raise DocumentError(str(error)) from error
    place = Places(text)
    for path, found in _walk(value):
        field = Field(path, found, 0)
        yield Field(path, found, place.of(field.key, found))


class Places:
    """Lines of texts in JSON, found by looking for them again; the same text has its first line."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[int]] = {}
        for number, line in enumerate(text.split("\n"), 1):
            for token in _TOKEN.findall(line):
                found = self._lines.setdefault(token, [])
                if len(found) < MAX_PLACES:
                    found.append(number)

    def of(self, key: str, value: Any) -> int:
        """Return the line of a value where it is text, else that of its key; 1 where unknown."""
        keyed = self._lines.get(_quoted(key), [1])
        valued = self._lines.get(_quoted(value), keyed) if isinstance(value, str) else keyed
        return next((line for line in valued if line in keyed), valued[0])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _walk(root: Any) -> Iterator[tuple[KeyPath, Any]]:
    waiting: list[tuple[KeyPath, Any]] = [((), root)]
    seen = 0
    while waiting:
        path, value = waiting.pop()
        inside: list[tuple[KeyPath, Any]] = []
        # Pairs are a tuple of pairs, in which two equal keys are both seen.
        if isinstance(value, dict | Pairs):
            pairs = value.items() if isinstance(value, dict) else value
            inside = [((*path, key), inner) for key, inner in pairs]
            found = inside
        elif isinstance(value, list):
            inside = [((*path, index), inner) for index, inner in enumerate(value)]
            found = [entry for entry in inside if isinstance(entry[1], str)]
        else:
            continue
        seen += len(inside)
        if seen > MAX_ENTRIES:
            raise DocumentError(f"more than {MAX_ENTRIES:,} keys")
        yield from found
        if len(path) < MAX_DEPTH:
            waiting.extend(reversed([i for i in inside if isinstance(i[1], dict | list | Pairs)]))
