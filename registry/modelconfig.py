"""Model configuration files: what in them names code, and the shards an index names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.pointers import is_safe
from security.scan.codekeys import named
from security.scan.plainjson import Pairs, brief, load
from security.strictjson import StrictJSONError

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
        "router_config.json",
    }
)


class ConfigError(ValueError):
    """The bytes are not JSON; no loader can read them either."""


@dataclass(frozen=True, slots=True)
class Index:
    """The shards an index of weights names, each once, and what is wrong with their names."""

    shards: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()


def named_code(data: bytes, name: str, libraries: frozenset[str]) -> tuple[str, ...]:
    """Return, sorted, what the configuration file called `name` asks a loader to import.

    Classes of `libraries` do not count. Raises ConfigError.
    """
    return named(_load(data), name, libraries)


def read_index(data: bytes, name: str) -> Index:
    """Read an index called `name`, such as "model.safetensors.index.json". Raises ConfigError.

    A file without `weight_map` is no index of weights, and names nothing.
    """
    found = _load(data)
    maps = list(found.all("weight_map")) if isinstance(found, Pairs) else []
    suffix = "." + name.removesuffix(".index.json").rpartition(".")[2]
    shards, unsafe = set(), set()
    for value in (value for pairs in maps if isinstance(pairs, Pairs) for _, value in pairs):
        if isinstance(value, str) and is_safe(value) and value.endswith(suffix):
            shards.add(value)
        else:
            unsafe.add(brief(value))
    unsafe |= {"weight_map is not an object" for pairs in maps if not isinstance(pairs, Pairs)}
    return Index(tuple(sorted(shards)), tuple(sorted(unsafe)))


def _load(data: bytes) -> Any:
    # Configurations in use hold Infinity and duplicate keys, which strict JSON refuses.
    try:
        return load(data)
    except StrictJSONError as error:
        raise ConfigError(str(error)) from error
