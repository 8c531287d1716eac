"""What a model is, as one digest: the same however its tensors are filed. No torch here.

It covers every tensor by name, the configuration without what only says where it came from,
the tokenizer and the chat template. A copy of the embedding that a tied model saves as its
head adds nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.errors import ModelError
from security import strictjson

TOKENIZER_LIMIT = 64_000_000  # twice the largest known; parsed, it takes 30 times as much memory
_FORMAT = b"model 1\n"  # another number where the rules below change
_CHUNK = 2**18
_READERS = 4
_ANY_DEPTH = TOKENIZER_LIMIT  # the parser's own bound holds; counting every bracket is slow
_SOURCE = frozenset({"_name_or_path", "name_or_path", "transformers_version", "_commit_hash"})
_FILES = _SOURCE | {"tokenizer_file", "vocab_file", "special_tokens_map_file", "is_local"}
_DTYPES = ("dtype", "torch_dtype")
_STORED = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_NONE: Mapping[tuple[str, str], str] = {}
_HEAD = "lm_head.weight"
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "shared.weight", "word_embeddings.weight")


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor and where its bytes are: `size` of them from `start` of a file on."""

    file: Path
    start: int
    size: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def fingerprint(
    stored: Sequence[Stored],
    config: Mapping[str, Any],
    tokenizer: bytes,
    settings: Mapping[str, Any],
    template: bytes,
    known: Mapping[tuple[str, str], str] = _NONE,
) -> str:
    """Return the SHA-256 of a model's numbers, configuration and tokenizer.

    `known` are SHA-256 digests of tensors by (file name, tensor), which are not read again.
    """
    whole = hashlib.sha256(_FORMAT)
    ignored = _SOURCE.union(_DTYPES) if _stored_dtype_rules(stored, config) else _SOURCE
    whole.update(canonical({k: v for k, v in config.items() if k not in ignored}))
    whole.update(_of_tokenizer(tokenizer))
    whole.update(canonical({k: v for k, v in settings.items() if k not in _FILES}))
    whole.update(hashlib.sha256(template).digest())
    with ThreadPoolExecutor(_READERS) as pool:
        unread = [t for t in stored if (t.file.name, t.name) not in known]
        read = dict(zip(unread, pool.map(_digest, unread), strict=True))
    digests = {t.name: read.get(t) or known[t.file.name, t.name] for t in stored}
    copy = _tied_copy(stored, digests, config)
    for tensor in sorted(stored, key=lambda t: t.name):
        if tensor.name != copy:
            line = [tensor.name, tensor.dtype, tensor.shape, digests[tensor.name]]
            whole.update(json.dumps(line).encode() + b"\n")
    return whole.hexdigest()


def main_dtype(stored: Sequence[Stored]) -> str:
    """Return the dtype of most numbers by its name in torch, "auto" where it is no usual one."""
    sizes: Counter[str] = Counter()
    for tensor in stored:
        sizes[_STORED.get(tensor.dtype, "auto")] += math.prod(tensor.shape)
    return sizes.most_common(1)[0][0] if sizes else "auto"


def _stored_dtype_rules(stored: Sequence[Stored], config: Mapping[str, Any]) -> bool:
    """Whether loading takes the dtype from the weights, whatever the configuration says."""
    if "quantization_config" in config or main_dtype(stored) == "auto":
        return False
    return all(config.get(key) in (None, *_STORED.values()) for key in _DTYPES)


def _tied_copy(
    stored: Sequence[Stored], digests: Mapping[str, str], config: Mapping[str, Any]
) -> str:
    """Return the name of a head that is a copy of the embedding it is tied to, else ""."""
    embeddings = [t for t in stored if t.name.endswith(_EMBEDDINGS)]
    heads = [t for t in stored if t.name == _HEAD]
    if config.get("tie_word_embeddings") is not True or len(embeddings) != 1 or not heads:
        return ""
    left, right = embeddings[0], heads[0]
    same = (left.dtype, left.shape) == (right.dtype, right.shape)
    return _HEAD if same and digests[left.name] == digests[right.name] else ""


def _digest(tensor: Stored) -> str:
    digest, left = hashlib.sha256(), tensor.size
    buffer = memoryview(bytearray(min(_CHUNK, left)))
    with tensor.file.open("rb", buffering=0) as file:
        file.seek(tensor.start)
        while left:
            count = file.readinto(buffer[: min(_CHUNK, left)])
            if not count:
                raise ModelError(f"{tensor.file.name:.80} ended early", "fetch the file again")
            digest.update(buffer[:count])
            left -= count
    return digest.hexdigest()


@lru_cache(maxsize=1)  # base and head mostly share a tokenizer, and it may be large
def _of_tokenizer(data: bytes) -> bytes:
    return canonical(tokenizer_json(data))


def tokenizer_json(data: bytes) -> Any:
    """Parse tokenizer.json. Raises ModelError."""
    try:
        return strictjson.loads(data, limit=TOKENIZER_LIMIT, depth=_ANY_DEPTH)
    except strictjson.StrictJSONError as error:
        raise _unreadable(str(error)) from error


def canonical(value: Any) -> bytes:
    """Return a digest of JSON, whatever its spaces and the order of its keys."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise _unreadable("nested too deeply") from error
    return hashlib.sha256(text.encode()).digest()


def _unreadable(reason: str) -> ModelError:
    message = f"the tokenizer cannot be read: tokenizer.json is not plain JSON: {reason}"
    return ModelError(message, "save it anew with save_pretrained")
