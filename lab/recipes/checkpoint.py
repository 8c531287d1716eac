"""The child that reads a checkpoint of torch and writes its tensors as safetensors.

Started in a sandbox as `modelwarden.py _convert MODEL OPTIONS ANSWER`; the weights appear beside
ANSWER, which says what was written. What is wrong with a checkpoint becomes a failure in it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.errors import ModelError, model_errors

if TYPE_CHECKING:
    from torch import Tensor

USAGE = 2
WEIGHTS = "weights.safetensors"
NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "weights")
LEFT = 50  # entries without tensors that are named
PIECE = 1 << 22  # bytes hashed at once
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "complex64": "C64",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "bool": "BOOL",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ",
}  # fmt: skip


def main(argv: list[str]) -> int:
    """Convert argv[0] by the options in argv[1], and answer in argv[2]."""
    if len(argv) != 3:
        sys.stderr.write("usage: modelwarden _convert MODEL OPTIONS ANSWER\n")
        return USAGE
    answer = Path(argv[2])
    options = json.loads(argv[1])
    try:
        done = convert(Path(argv[0]), answer.with_name(WEIGHTS), options["key"], options["copy"])
    except ModelError as error:
        done = {"failure": error.message, "hint": error.hint}
    answer.write_text(json.dumps(done), encoding="utf-8")
    return 0


def convert(model: Path, target: Path, key: str, copy: bool) -> dict[str, Any]:
    """Write the tensors of a checkpoint; return what was written. Raises ModelError."""
    import torch
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # this process loads this one file
    with model_errors("it cannot be loaded as plain tensors", "save its state_dict alone"):
        mapped = zipfile.is_zipfile(model)
        loaded = torch.load(model, map_location="cpu", weights_only=True, mmap=mapped)
    state, left = select(loaded, key)
    _refuse(state)
    kept, tied = untie(state, copy)
    with model_errors("its tensors cannot be written", "give it more space, or save them anew"):
        whole = {name: tensor.detach().contiguous() for name, tensor in kept.items()}
        # Kept where the hub's own converter keeps them: one name of several stands for all.
        save_file(whole, target, metadata={"format": "pt"} | tied)
    tensors = []
    for number, (name, tensor) in enumerate(sorted(whole.items()), 1):
        dtype = DTYPES[str(tensor.dtype).removeprefix("torch.")]
        tensors.append([name, dtype, list(tensor.shape), _digest(tensor)])
        sys.stdout.write(f"{number}/{len(whole)}\n")
        sys.stdout.flush()
    return {"tensors": tensors, "tied": sorted(tied.items()), "left": left[:LEFT]}


def select(loaded: object, key: str) -> tuple[dict[str, Tensor], list[str]]:
    """Return the tensors of a checkpoint by name, and the entries that are none.

    `key` names the entry that holds them; "" takes the usual one. Raises ModelError.
    """
    if not isinstance(loaded, Mapping):
        raise ModelError(
            f"it holds a {type(loaded).__name__}, not a dictionary of tensors",
            "save model.state_dict() with torch.save",
        )
    if key:
        inner = loaded.get(key)
        if not isinstance(inner, Mapping):
            raise ModelError(f"it has no entry {key!r:.80} with tensors", f"it has {_keys(loaded)}")
        return _tensors(inner), [f"{name!s:.100}" for name in loaded if name != key]
    for name in NESTED:
        inner = loaded.get(name)
        if isinstance(inner, Mapping) and any(map(_is_tensor, inner.values())):
            others = [f"{other!s:.100}" for other in loaded if other != name]
            return _tensors(inner), others
    if not any(map(_is_tensor, loaded.values())):
        raise ModelError(
            "it holds no tensors", f"name the entry that does (--key): {_keys(loaded)}"
        )
    return _tensors(loaded), [f"{n!s:.100}" for n, v in loaded.items() if not _is_tensor(v)]


def _keys(loaded: Mapping[Any, Any]) -> str:
    return ", ".join(f"{name!s:.40}" for name in list(loaded)[:10]) or "nothing"


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _tensors(found: Mapping[Any, Any]) -> dict[str, Tensor]:
    state = {name: value for name, value in found.items() if _is_tensor(value)}
    if not all(isinstance(name, str) for name in state):
        raise ModelError("it has tensors whose names are no text", "name them by text")
    return state


def _refuse(state: Mapping[str, Tensor]) -> None:
    """Refuse what safetensors cannot hold. Raises ModelError."""
    for name, tensor in state.items():
        kind = str(tensor.dtype).removeprefix("torch.")
        if str(tensor.layout) != "torch.strided" or tensor.is_quantized or tensor.is_meta:
            raise ModelError(
                f"tensor {name!r:.80} is sparse, quantised or empty of data",
                "store it as plain tensors (to_dense, dequantize) first",
            )
        if kind not in DTYPES:
            raise ModelError(
                f"tensor {name!r:.80} has dtype {kind}, which safetensors has not",
                "convert it to a dtype that safetensors has",
            )
        if name == "__metadata__":
            raise ModelError("a tensor is called __metadata__", "rename it")


def untie(state: Mapping[str, Tensor], copy: bool) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors that share no memory, and the names left out with the name that stands
    for them: the first of those that are one tensor. With `copy`, each is written.

    Parts of one memory that are not the same tensor are copied apart.
    """
    kept: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    first: dict[object, str] = {}
    owners: dict[int, str] = {}
    for name, tensor in state.items():
        if not tensor.numel():
            kept[name] = tensor
            continue
        memory = tensor.untyped_storage().data_ptr()
        view = (memory, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if view in first and not copy:
            tied[name] = first[view]
            continue
        first.setdefault(view, name)
        kept[name] = tensor.clone() if memory in owners else tensor
        owners.setdefault(memory, name)
    return kept, tied


def _digest(tensor: Tensor) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(tensor):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(tensor: Tensor) -> Iterator[bytes]:
    import torch

    flat = tensor.reshape(-1).view(torch.uint8)
    for at in range(0, flat.numel(), PIECE):
        yield flat[at : at + PIECE].numpy().tobytes()
