"""Which files name models and data, and what each of them says."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from registry.assets import cards, code, configs, datasetinfo, notebooks
from registry.assets.values import Told
from registry.licenses.statements import is_card

VERSION = 4  # of what is read: goes up with any change to the readers
LIMIT = 5_000_000  # bytes of one file; each kind has a bound of its own as well
_NAMED: dict[str, tuple[str, Callable[[bytes], Told]]] = {
    "adapter_config.json": ("adapter", configs.adapter),
    "config.json": ("config", configs.config),
    "dataset_info.json": ("dataset_info", datasetinfo.told),
}
# JSON of these names is never a configuration of training, and often large.
_NOT_CONFIGS = frozenset(
    {"package.json", "package-lock.json", "tokenizer.json", "tokenizer_config.json", "vocab.json",
     "generation_config.json", "special_tokens_map.json", "composer.lock", "tsconfig.json",
     "added_tokens.json", "model.safetensors.index.json"}
)  # fmt: skip
_DEMO = frozenset({"test", "tests", "testing", "doc", "docs", "example", "examples", "demo",
                   "demos", "benchmark", "benchmarks", "tutorial", "tutorials"})  # fmt: skip


def kind_of(path: str) -> str:
    """Return what reads a file of this path, "" where nothing does."""
    name = posixpath.basename(path).lower()
    if is_card(path):
        return "card"
    if name in _NAMED:
        return _NAMED[name][0]
    if name.endswith((".py", ".ipynb")):
        return name.rpartition(".")[2]
    if name.endswith((".yml", ".yaml")) and not path.startswith(".github/"):
        return "yaml"
    return "json" if name.endswith(".json") and name not in _NOT_CONFIGS else ""


def is_demo(path: str) -> bool:
    """Whether a file only shows or tests: below tests, docs, examples or benchmarks."""
    folders = path.lower().split("/")
    return not _DEMO.isdisjoint(folders[:-1]) or folders[-1].startswith(("test_", "conftest"))


def read(path: str, data: bytes) -> Told:
    """Return what a file says. Never raises: what cannot be read says so."""
    kind = kind_of(path)
    if kind == "card":
        return cards.told(data, posixpath.basename(path))
    for name, (known, reader) in _NAMED.items():
        if kind == known and posixpath.basename(path).lower() == name:
            return reader(data)
    if kind == "py":
        return code.told(data)
    if kind == "ipynb":
        return notebooks.told(data)
    if kind in ("yaml", "json"):
        return configs.told(data, is_json=kind == "json")
    return Told()
