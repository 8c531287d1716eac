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
ALIASES = 200  # of a document whose own readers (GitHub, the hub, trainers) accept them
MAX_EXPANDED = 100_000  # values of a document with aliases, each counted where it is repeated

_BOOL = "tag:yaml.org,2002:bool"
_MERGE = "tag:yaml.org,2002:merge"
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


def load_yaml(data: bytes, *, limit: int, aliases: int = 0) -> Document:
    """Parse one YAML document: no tags, no duplicate keys, bounded depth, at most `aliases`.

    With aliases, merge keys (`<<`) count too; what they repeat has the line of its anchor.
    """
    text = text_of(data, limit=limit)
    loader = _Loader(text)
    try:
        repeats = _refuse_aliases(text, aliases)
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        built = _Built(loader, MAX_EXPANDED if repeats else MAX_NODES, merges=aliases > 0)
        return Document(built.value(node, ()), built.lines)
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


def _refuse_aliases(text: str, limit: int) -> int:
    """Return how many aliases there are, at most `limit`."""
    # The event stream is flat, so a bomb is seen before anything is built from it.
    depth = found = 0
    for number, event in enumerate(_events(text)):
        if isinstance(event, yaml.AliasEvent):
            found += 1
            if found > limit:
                more = f"more than {limit} " if limit else ""
                raise DocumentError(f"{more}YAML aliases are not accepted", _line(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or number > MAX_NODES:
            raise DocumentError("nested too deeply or too long", _line(event))
    return found


def _line(event: Any) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_Loader)


@dataclass(slots=True)
class _Built:
    """Values made of nodes, within a bound; an alias is the node of its anchor once more."""

    loader: Any
    left: int
    merges: bool
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def value(self, node: Any, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self._spend(path, line)
        self.lines.setdefault(path, line)
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
            raise DocumentError(f"the tag {node.tag!r:.80} is not accepted", line)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        try:
            return self.loader.construct_object(node)
        except ValueError as error:  # 2026-02-31, or a number of too many digits
            shown = f"{node.value!r:.80} is no {node.tag.rpartition(':')[2]}: {error}"
            raise DocumentError(shown.split("\n", 1)[0], line) from error

    def _spend(self, path: KeyPath, line: int) -> None:
        self.left -= 1
        if self.left < 0 or len(path) > MAX_DEPTH:
            what = f"aliases of more than {MAX_EXPANDED:,} values or {MAX_DEPTH} levels"
            raise DocumentError(what, line)

    def _mapping(self, node: Any, path: KeyPath) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError("a mapping key must be a plain value", line)
            if self.merges and key_node.tag == _MERGE:
                many = isinstance(value_node, yaml.SequenceNode)
                merged += value_node.value if many else [value_node]
                continue
            key = self.loader.construct_object(key_node)
            if isinstance(key, int) and abs(key) > MAX_KEY:
                raise DocumentError("a mapping key is too large a number", line)
            if key in found:
                raise DocumentError(f"duplicate key {key!r:.80}", line)
            self.lines[(*path, key)] = line
            found[key] = self.value(value_node, (*path, key))
        for other in merged:
            self._merge(other, path, found)
        return found

    def _merge(self, node: Any, path: KeyPath, found: dict[Any, Any]) -> None:
        # YAML's merge key type: what the mapping says itself wins, then the first one merged.
        if not isinstance(node, yaml.MappingNode):
            raise DocumentError("only mappings can be merged", node.start_mark.line + 1)
        self._spend(path, node.start_mark.line + 1)
        for key, value in self._mapping(node, (*path, "<<")).items():
            if key not in found:
                found[key] = value
                self.lines.setdefault((*path, key), self.lines[(*path, "<<", key)])
