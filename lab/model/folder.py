"""The files of a model's folder, looked at before any library opens them. No torch here."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab.errors import ModelError
from lab.model.fingerprint import TOKENIZER_LIMIT, Stored, fingerprint, main_dtype
from security import safetensors, strictjson
from security.errors import InvalidSafetensors

CONFIG_LIMIT = 10_000_000
INDEX_LIMIT = 50_000_000
TEMPLATE_LIMIT = 10_000_000
SHARD_LIMIT = 2_000
HEADER_LIMIT = 50_000_000  # bytes of JSON, of all shards: room for 300,000 tensors
TENSOR_LIMIT = 300_000

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

_NONE: Mapping[tuple[str, str], str] = {}
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# Keys by which a configuration picks other code or other files than the plain ones.
_DROPPED = frozenset(
    {
        "attn_implementation",
        "_attn_implementation",
        "_attn_implementation_internal",
        "experts_implementation",
        "_experts_implementation",
        "_experts_implementation_internal",
        "distributed_config",
        "fusion_config",
        "transformers_weights",
    }
)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder whose files are complete and readable; `weights` are names in it.

    `dtype` is what most weights are stored in, by its name in torch ("auto": no usual one).
    """

    folder: Path
    weights: tuple[str, ...]
    fingerprint: str
    dtype: str = "auto"

    def config(self) -> dict[str, Any]:
        """Return the configuration, without keys that would pick other code."""
        config: dict[str, Any] = _plain(_read_json(self.folder, CONFIG, CONFIG_LIMIT))
        return config

    def tokenizer_config(self) -> dict[str, Any]:
        """Return the tokenizer's configuration, {} where it has none."""
        if not (self.folder / TOKENIZER_CONFIG).is_file():
            return {}
        return _read_json(self.folder, TOKENIZER_CONFIG, CONFIG_LIMIT)


def inspect(folder: Path, known: Mapping[tuple[str, str], str] = _NONE) -> ModelFiles:
    """Check the folder's files and take their fingerprint. Raises ModelError.

    `known` are SHA-256 digests of tensors by (file name, tensor), where they were taken already.
    """
    try:
        config = _read_json(folder, CONFIG, CONFIG_LIMIT)
        if _has_code(config):
            hint = "publish the model in an architecture that transformers ships"
            raise ModelError("config.json asks for code of its own (auto_map)", hint)
        _refuse_adapter(folder)
        _size(folder, TOKENIZER, TOKENIZER_LIMIT, "save the tokenizer with save_pretrained")
        weights = _weights(folder)
        stored = _stored(folder, weights)
        _refuse_twins(stored)
        files = ModelFiles(folder, weights, "", main_dtype(stored))
        digest = fingerprint(
            stored,
            files.config(),
            (folder / TOKENIZER).read_bytes(),
            files.tokenizer_config(),
            _template(folder),
            known,
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelError(f"a file cannot be read: {reason}", "check the folder") from error
    return replace(files, fingerprint=digest)


def _read_json(folder: Path, name: str, limit: int) -> dict[str, Any]:
    _size(folder, name, limit, "save the model with save_pretrained")
    try:
        value = strictjson.loads((folder / name).read_bytes(), limit=limit)
    except strictjson.StrictJSONError as error:
        raise ModelError(f"{name} is not plain JSON: {error}", "write the file anew") from error
    if not isinstance(value, dict):
        raise ModelError(f"{name} is not a JSON object", "write the file anew")
    return value


def _size(folder: Path, name: str, limit: int, hint: str) -> int:
    path = folder / name
    if not path.is_file():
        raise ModelError(f"{name} is missing", hint)
    size = path.stat().st_size
    if size > limit:
        raise ModelError(f"{name} has {size:,} bytes, more than {limit:,}", "make it smaller")
    return size


def _has_code(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("auto_map")) or any(_has_code(v) for v in value.values())
    return isinstance(value, list) and any(_has_code(v) for v in value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k not in _DROPPED}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _refuse_adapter(folder: Path) -> None:
    if (folder / "adapter_config.json").exists():
        hint = "merge the adapter into its base model and measure the whole"
        raise ModelError("adapter_config.json: an adapter is not a whole model", hint)


def _weights(folder: Path) -> tuple[str, ...]:
    if (folder / SINGLE).is_file():
        return (SINGLE,)
    if not (folder / INDEX).is_file():
        pickled = any(path.suffix in _PICKLES for path in folder.iterdir())
        reason = "only pickled weights, which run code when loaded" if pickled else "no weights"
        raise ModelError(f"{reason}: {SINGLE} is missing", "save the model as safetensors")
    shards = _read_json(folder, INDEX, INDEX_LIMIT).get("weight_map")
    if not isinstance(shards, dict) or not all(isinstance(s, str) for s in shards.values()):
        raise ModelError(f"{INDEX} has no weight_map of names", "write the index anew")
    names = tuple(sorted(set(shards.values())))
    if not names or len(names) > SHARD_LIMIT:
        raise ModelError(f"{INDEX} names {len(names):,} shards", "write the index anew")
    for name in names:
        if name != Path(name).name or not name.endswith(".safetensors"):
            raise ModelError(f"{INDEX} names a shard {name!r:.80}", "keep shards in the folder")
    return names


def _stored(folder: Path, weights: tuple[str, ...]) -> tuple[Stored, ...]:
    """Return the tensors of all shards, by their headers: a bounded number of a bounded size."""
    found: list[Stored] = []
    room = HEADER_LIMIT
    for name in weights:
        header, start = _header(folder, name, room)
        room -= start
        found += (
            Stored(folder / name, start + t.start, t.end - t.start, t.name, t.dtype, t.shape)
            for t in header.tensors
        )
        if len(found) > TENSOR_LIMIT:
            message = f"the weights hold more than {TENSOR_LIMIT:,} tensors"
            raise ModelError(message, "stack the tensors of experts or layers")
    return tuple(found)


def _header(folder: Path, name: str, room: int) -> tuple[safetensors.Header, int]:
    """Return the header of a shard, and where its data begin."""
    hint = "fetch the file again, or save the model anew"
    path = folder / name
    if not path.is_file():
        raise ModelError(f"shard {name!r:.80} is missing", hint)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            start = file.read(8)
            length = safetensors.header_length(start, size)
            if length > room:
                message = f"the headers of the weights take more than {HEADER_LIMIT:,} bytes"
                raise ModelError(message, "save the model anew, with fewer tensors")
            return safetensors.read_header(start + file.read(length), size), 8 + length
        except InvalidSafetensors as error:
            raise ModelError(f"{name:.80}: {error.message}", hint) from error


def _refuse_twins(stored: tuple[Stored, ...]) -> None:
    if not stored:
        raise ModelError("the weights hold no tensor", "save the model anew")
    name, count = Counter(tensor.name for tensor in stored).most_common(1)[0]
    if count > 1:
        raise ModelError(f"tensor {name!r:.80} is in two shards", "save the model anew")


def _template(folder: Path) -> bytes:
    if not (folder / CHAT_TEMPLATE).is_file():
        return b""
    _size(folder, CHAT_TEMPLATE, TEMPLATE_LIMIT, "save the tokenizer with save_pretrained")
    return (folder / CHAT_TEMPLATE).read_bytes()
