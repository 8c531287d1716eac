"""Bounded, strict readers for YAML and TOML that strangers wrote."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from security import strictjson

KeyPath = tuple[str | int, ...]
MAX_DEPTH = 64
MAX_NODES = 2_000_000
MAX_KEY = 2**53  # of numbers as keys: larger ones can be chosen so that all hash alike

_BOOL = "tag:yaml.org,2002:bool"
_PLAIN = ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML 1.2 booleans: `on`, `off`, `yes` and `no` are words, as DVC and GitHub read them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own shape
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")


class DocumentError(ValueError):
    """The text cannot be read under the strict rules. `line` is 1-based, 0 where unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed value and the line (1-based) of each key path in it."""

    value: Any
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or of its nearest known parent; 0 where unknown."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def text_of(data: bytes, *, limit: int) -> str:
    """Decode UTF-8 (a BOM is dropped), at most `limit` bytes, without NUL."""
    if len(data) > limit:
        raise DocumentError(f"{len(data):,} bytes, more than {limit:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"not UTF-8 at byte {error.start}", line) from error
    if "\0" in text:
        raise DocumentError("holds a NUL byte", text[: text.index("\0")].count("\n") + 1)
    return text


def load_json(data: bytes, *, limit: int) -> Any:
    """Parse strict JSON. Raises DocumentError."""
    try:
        return strictjson.loads(data, limit=limit)
    except strictjson.StrictJSONError as error:
        raise DocumentError(str(error)) from error


def load_toml(data: bytes, *, limit: int) -> dict[str, Any]:
    """Parse TOML. Raises DocumentError."""
    text = text_of(data, limit=limit)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        digits = message.rpartition("line ")[2].partition(",")[0]
        raise DocumentError(message, int(digits) if digits.isdigit() else 0) from error
    except RecursionError as error:
        raise DocumentError("nested too deeply") from error


def load_yaml(data: bytes, *, limit: int) -> Document:
    """Parse one YAML document: no aliases, no tags, no duplicate keys, bounded depth."""
    text = text_of(data, limit=limit)
    loader = _Loader(text)
    try:
        _refuse_aliases(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        lines: dict[KeyPath, int] = {}
        return Document(_value(loader, node, (), lines), lines)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = " ".join(filter(None, (error.context, error.problem)))
        raise DocumentError(what or "not YAML", line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError("not YAML: " + str(error).split("\n", 1)[0]) from error
    finally:
        loader.dispose()


def _refuse_aliases(text: str) -> None:
    # The event stream is flat, so a bomb is seen before anything is built from it.
    depth = 0
    for number, event in enumerate(_events(text)):
        if isinstance(event, yaml.AliasEvent):
            raise DocumentError("YAML aliases are not accepted", _line(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or number > MAX_NODES:
            raise DocumentError("nested too deeply or too long", _line(event))


def _line(event: Any) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_Loader)


def _value(loader: Any, node: Any, path: KeyPath, lines: dict[KeyPath, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
        raise DocumentError(f"the tag {node.tag!r:.80} is not accepted", node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, i), lines) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    try:
        return loader.construct_object(node)
    except ValueError as error:  # 2026-02-31, or a number of too many digits
        shown = f"{node.value!r:.80} is no {node.tag.rpartition(':')[2]}: {error}"
        raise DocumentError(shown.split("\n", 1)[0], node.start_mark.line + 1) from error


def _mapping(loader: Any, node: Any, path: KeyPath, lines: dict[KeyPath, int]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise DocumentError("a mapping key must be a plain value", line)
        key = loader.construct_object(key_node)
        if isinstance(key, int) and abs(key) > MAX_KEY:
            raise DocumentError("a mapping key is too large a number", line)
        if key in found:
            raise DocumentError(f"duplicate key {key!r:.80}", line)
        lines[(*path, key)] = line
        found[key] = _value(loader, value_node, (*path, key), lines)
    return found
