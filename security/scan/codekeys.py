"""Keys of configurations that make a loader import code, and the claims found in one.

A claim is "key: value". Answers CVE-2025-66448, CVE-2026-22807 and CVE-2026-27893 (`auto_map`
and `trust_remote_code`), CVE-2026-5241 (the same, nested), CVE-2026-4372 (`_attn_implementation`
of a repository), and the targets of hydra.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from security.scan.plainjson import Pairs, brief

# Keys whose value, when it is not empty, is a class, file or repository to import from.
CODE_KEYS = frozenset(
    {
        "auto_map",
        "custom_pipeline",
        "custom_pipelines",
        "_target_",
        "class_path",
        "use_kernels",
        "loader_module",
        "module_path",
        "import_path",
        "entry_point",
        "py/object",
        "py/reduce",
        "py/function",
        "py/type",
    }
)
# Keys that are code where their value names a file or a repository, or goes by dots.
# sentence-transformers calls what `sbert_ce_default_activation_function` and `activation_fn`
# name; PEFT imports `megatron_core`.
_MAYBE_KEYS = frozenset(
    {"kernel", "kernels", "plugin", "plugins", "module", "megatron_core"}
    | {"activation_function", "activation_fn", "sbert_ce_default_activation_function"}
)
LIBRARY_FILES = (".py", ".pyc", ".so", ".dll", ".dylib", ".pyd")
# First parts of names that a loader knows anyway.
LIBRARIES = frozenset(
    {"transformers", "diffusers", "sentence_transformers", "tokenizers", "torch", "peft"}
    | {"onnxruntime", "optimum"}
)
_ROUTERS = frozenset({"router_config.json", "config.json"})
MOST = 1_000  # claims of one configuration; the first ones say enough
_KNOWN_DOTTED = ("torch.nn.", "keras.", "megatron.core")


def claims(root: Any) -> Iterator[str]:
    """Yield what a configuration asks to import, wherever in it."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Pairs):
            for key, inner in value:
                if _is_code(key, inner):
                    yield f"{key}: {brief(inner)}"
                waiting.append(inner)
        elif isinstance(value, list):
            waiting.extend(value)


def named(found: Any, name: str, libraries: frozenset[str]) -> tuple[str, ...]:
    """Return, sorted, what the configuration called `name` asks a loader to import.

    Classes of `libraries` do not count.
    """
    said = set(islice(claims(found), MOST))
    if name == "model_index.json" and isinstance(found, Pairs):
        said |= set(_pipeline(found, libraries))
    if name == "modules.json" and isinstance(found, list):
        said |= set(_modules(found, libraries))
    if name == "adapter_config.json":
        said |= set(_parents(found, libraries))
    if name in _ROUTERS and isinstance(found, Pairs):
        said |= set(_routes(found, libraries))
    return tuple(sorted(said))


def known_loader(key: str, value: Any) -> bool:
    """Whether a value is one of the loaders that MLflow itself brings."""
    return key == "loader_module" and isinstance(value, str) and value.startswith("mlflow.")


def _is_code(key: str, value: Any) -> bool:
    if key in CODE_KEYS:
        return bool(value) and not known_loader(key, value)
    if key == "trust_remote_code":
        return value is not False and value is not None
    if isinstance(value, Pairs) and "_implementation" in key:
        return any(isinstance(inner, str) and "/" in inner for _, inner in value)
    if not isinstance(value, str):
        return False
    if key in _MAYBE_KEYS:
        dotted = "." in value and not value.startswith(_KNOWN_DOTTED) and " " not in value
        return "/" in value or dotted
    # "owner/kernel" as an implementation is fetched from a hub and imported.
    return value.endswith(LIBRARY_FILES) or ("_implementation" in key and "/" in value)


def _pipeline(found: Pairs, libraries: frozenset[str]) -> Iterator[str]:
    for key, value in found:
        is_named = isinstance(value, list) and value and isinstance(value[0], str)
        if is_named and (key == "_class_name" or value[0].split(".")[0] not in libraries):
            yield f"{key}: {brief(value)}"


def _modules(found: list[Any], libraries: frozenset[str]) -> Iterator[str]:
    for item in found:
        for key, value in item if isinstance(item, Pairs) else ():
            if key == "type" and _foreign(value, libraries):
                yield f"type: {brief(value)}"


def _routes(found: Pairs, libraries: frozenset[str]) -> Iterator[str]:
    """The modules of a router of sentence-transformers, which imports them by name."""
    for types in found.all("types"):
        for key, value in types if isinstance(types, Pairs) else ():
            if isinstance(value, str) and "." in value and _foreign(value, libraries):
                yield f"{key}: {brief(value)}"


def _parents(found: Any, libraries: frozenset[str]) -> Iterator[str]:
    mappings = found.all("auto_mapping") if isinstance(found, Pairs) else ()
    for mapping in mappings:
        for key, value in mapping if isinstance(mapping, Pairs) else ():
            if key == "parent_library" and _foreign(value, libraries):
                yield f"{key}: {brief(value)}"


def _foreign(value: Any, libraries: frozenset[str]) -> bool:
    return not isinstance(value, str) or value.split(".")[0] not in libraries
