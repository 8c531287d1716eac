"""Model configuration files: what in them names code, and the shards an index names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.pointers import is_safe

# Files a model loader reads by itself. The list is closed: no other file is opened for this.
CONFIG_NAMES = frozenset(
    {
        "config.json",
        "tokenizer_config.json",
        "adapter_config.json",
        "preprocessor_config.json",
        "video_preprocessor_config.json",
        "processor_config.json",
        "generation_config.json",
        "scheduler_config.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
        "model_config.json",
        "model_index.json",
        "modules.json",
    }
)
# Keys whose value, when it is not empty, is a class, file or repository to import from.
_CODE_KEYS = frozenset(
    {"auto_map", "custom_pipeline", "custom_pipelines", "_target_", "class_path", "use_kernels"}
)


class ConfigError(ValueError):
    """The bytes are not JSON; no loader can read them either."""


class _Object(tuple[tuple[str, Any], ...]):
    """A JSON object as its pairs, so that of two equal keys both are seen."""


@dataclass(frozen=True, slots=True)
class Index:
    """The shards an index of weights names, each once, and what is wrong with their names."""

    shards: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()


def named_code(data: bytes, name: str, libraries: frozenset[str]) -> tuple[str, ...]:
    """Return, sorted, what the configuration file called `name` asks a loader to import.

    Classes of `libraries` do not count. Raises ConfigError.
    """
    found = _load(data)
    claims = set(_claims(found))
    if name == "model_index.json" and isinstance(found, _Object):
        claims |= set(_pipeline(found, libraries))
    if name == "modules.json" and isinstance(found, list):
        claims |= set(_modules(found, libraries))
    if name == "adapter_config.json":
        claims |= set(_parents(found, libraries))
    return tuple(sorted(claims))


def read_index(data: bytes, name: str) -> Index:
    """Read an index called `name`, such as "model.safetensors.index.json". Raises ConfigError.

    A file without `weight_map` is no index of weights, and names nothing.
    """
    found = _load(data)
    maps = [v for k, v in found if k == "weight_map"] if isinstance(found, _Object) else []
    suffix = "." + name.removesuffix(".index.json").rpartition(".")[2]
    shards, unsafe = set(), set()
    for value in (value for pairs in maps if isinstance(pairs, _Object) for _, value in pairs):
        if isinstance(value, str) and is_safe(value) and value.endswith(suffix):
            shards.add(value)
        else:
            unsafe.add(_brief(value))
    unsafe |= {"weight_map is not an object" for pairs in maps if not isinstance(pairs, _Object)}
    return Index(tuple(sorted(shards)), tuple(sorted(unsafe)))


def _load(data: bytes) -> Any:
    # Configurations in use hold Infinity and duplicate keys, which strict JSON refuses.
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_Object)
    except (ValueError, RecursionError) as error:
        raise ConfigError(str(error).split("\n", 1)[0]) from error


def _claims(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Object):
            for key, inner in value:
                if _is_code(key, inner):
                    yield f"{key}: {_brief(inner)}"
                waiting.append(inner)
        elif isinstance(value, list):
            waiting.extend(value)


def _is_code(key: str, value: Any) -> bool:
    if key in _CODE_KEYS:
        return bool(value)
    if key == "trust_remote_code":
        return value is not False and value is not None
    if isinstance(value, _Object) and "_implementation" in key:
        return any(isinstance(inner, str) and "/" in inner for _, inner in value)
    if not isinstance(value, str):
        return False
    # "owner/kernel" as an implementation is fetched from a hub and imported.
    return value.endswith(".py") or ("_implementation" in key and "/" in value)


def _pipeline(found: _Object, libraries: frozenset[str]) -> Iterator[str]:
    for key, value in found:
        named = isinstance(value, list) and value and isinstance(value[0], str)
        if named and (key == "_class_name" or value[0].split(".")[0] not in libraries):
            yield f"{key}: {_brief(value)}"


def _modules(found: list[Any], libraries: frozenset[str]) -> Iterator[str]:
    for item in found:
        for key, value in item if isinstance(item, _Object) else ():
            if key == "type" and (
                not isinstance(value, str) or value.split(".")[0] not in libraries
            ):
                yield f"type: {_brief(value)}"


def _parents(found: Any, libraries: frozenset[str]) -> Iterator[str]:
    mappings = [v for k, v in found if k == "auto_mapping"] if isinstance(found, _Object) else []
    for mapping in mappings:
        for key, value in mapping if isinstance(mapping, _Object) else ():
            if key == "parent_library" and (
                not isinstance(value, str) or value.split(".")[0] not in libraries
            ):
                yield f"{key}: {_brief(value)}"


def _brief(value: Any) -> str:
    if isinstance(value, _Object):
        value = dict(value)
    return f"{json.dumps(value):.120}"
