"""The YAML of a task file, read without running anything and within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from lab.errors import SuiteError

SIZE_LIMIT = 2_000_000
DEPTH_LIMIT = 24
NODE_LIMIT = 100_000
NUMBER_LIMIT = 40  # characters of a number

_HINT = "write plain YAML, as lm-evaluation-harness reads it"


@dataclass(frozen=True, slots=True)
class Function:
    """A Python function named with `!function`, to be looked up from this folder."""

    name: str
    folder: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a file's top level, and where it stands."""

    key: str
    value: Any
    file: str
    line: int


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    folder = ""


def _function(loader: _Loader, node: yaml.ScalarNode) -> Function:
    return Function(str(loader.construct_scalar(node)), loader.folder)


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    # Base 60 (1:20:30) takes quadratic time, and no task needs such numbers.
    if len(node.value) > NUMBER_LIMIT:
        raise yaml.constructor.ConstructorError(
            None, None, f"a number of more than {NUMBER_LIMIT} characters", node.start_mark
        )
    make = {"int": loader.construct_yaml_int, "float": loader.construct_yaml_float}
    return make[node.tag.rpartition(":")[2]](node)


_Loader.add_constructor("!function", _function)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def parse(data: bytes, file: str) -> tuple[Entry, ...]:
    """Return the keys of one YAML mapping, in order. Raises SuiteError."""
    if len(data) > SIZE_LIMIT:
        raise SuiteError(f"{len(data):,} bytes, more than {SIZE_LIMIT:,}", _HINT, file=file)
    try:
        text = data.decode("utf-8")
        _check_size(text, file)
        return _entries(text, file)
    except UnicodeDecodeError as error:
        raise SuiteError(f"not UTF-8 at byte {error.start}", _HINT, file=file) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise SuiteError(f"not YAML: {error.problem}", _HINT, file=file, line=line) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise SuiteError(f"not YAML: {reason:.200}", _HINT, file=file) from error


def _check_size(text: str, file: str) -> None:
    """Count nodes as if every alias were written out, before any of them is built."""
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    count = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise _excess("an alias to nothing, or to what it is in", event, file)
            count += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1
        if len(open_) > DEPTH_LIMIT:
            raise _excess(f"nested deeper than {DEPTH_LIMIT} levels", event, file)
        if count > NODE_LIMIT:
            raise _excess(f"more than {NODE_LIMIT:,} values", event, file)


def _entries(text: str, file: str) -> tuple[Entry, ...]:
    loader = _Loader(text)
    loader.folder = file.rpartition("/")[0]
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise SuiteError("not a mapping of keys to values", _HINT, file=file)
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        lines = {key.value: key.start_mark.line + 1 for key in keys}
        values = loader.construct_document(node)
    finally:
        loader.dispose()
    for key in values:
        if not isinstance(key, str):
            raise SuiteError(f"{key!r:.80} is not a name", _HINT, file=file)
    return tuple(Entry(key, value, file, lines.get(key, 0)) for key, value in values.items())


def _excess(message: str, event: yaml.Event, file: str) -> SuiteError:
    line = event.start_mark.line + 1 if event.start_mark else 0
    return SuiteError(message, _HINT, file=file, line=line)
