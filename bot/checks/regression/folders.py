"""Which model a change touches, and which of its files a measurement reads."""

from __future__ import annotations

import hashlib
import posixpath

from bot.change import Change
from bot.world import World
from registry.outputs import is_source
from registry.weights import Kind, Located, locate

CONFIGURATION = ("config.json", "tokenizer.json", "tokenizer_config.json")
INDEX = "model.safetensors.index.json"
ADAPTER = "adapter_config.json"
WEIGHTS = (".safetensors", ".gguf")
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
MAX_CANDIDATES = 2_000  # folders that are looked into; beyond, no one of them is the model


def is_weights(path: str) -> bool:
    """Whether the path names model weights, or a DVC pointer to them."""
    name = posixpath.basename(path).removesuffix(".dvc")
    return name.endswith(WEIGHTS) or name in (INDEX, *PICKLED)


def is_model_file(path: str) -> bool:
    """Whether the path names a file of a model that changes what it computes."""
    name = posixpath.basename(path).removesuffix(".dvc")
    return is_weights(path) or name in CONFIGURATION


def touches(path: str, model: str) -> bool:
    """Whether a changed path belongs to the model folder ("" = root) or may point to its bytes."""
    if is_source(path) or posixpath.basename(path) == "dvc.yaml":
        above = posixpath.dirname(path)
        return not above or (model + "/").startswith(above + "/") or _below(path, model)
    if (model + "/").startswith(path + "/"):
        return True  # a link or a submodule in the place of the folder
    return _below(path, model) and (bool(model) or is_model_file(path))


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(folder + "/")


def detect(change: Change, world: World) -> tuple[str, ...]:
    """Return the folders with a changed model file that hold a model, before or after."""
    folders = {posixpath.dirname(f.path) for f in change.files if is_model_file(f.path)}
    if len(folders) > MAX_CANDIDATES:
        return tuple(sorted(folders))
    found = []
    for folder in sorted(folders):
        # Names alone decide, so that a folder of thousands of files costs one listing.
        sides = (_names(world, side, folder) for side in (change.merge_base, change.head))
        if any("config.json" in names and any(map(is_weights, names)) for names in sides):
            found.append(folder)
    return tuple(found)


def _names(world: World, commit: str, folder: str) -> set[str]:
    entries = world.folder(commit, folder)
    return {posixpath.basename(entry.path).removesuffix(".dvc") for entry in entries}


def model_files(world: World, commit: str, folder: str) -> tuple[Located, ...]:
    """Locate what a measurement reads of the model at a commit; () where there is none."""
    return tuple(item for item in locate(world, commit, folder) if reads(item))


def reads(item: Located) -> bool:
    """Whether a measurement reads this file of a model."""
    if item.kind is Kind.DVC_FOLDER:
        return not item.path  # all of the model; a folder beside it holds other things
    return "/" not in item.path and (is_model_file(item.path) or item.path == ADAPTER)


def identity(files: tuple[Located, ...]) -> str:
    """Return a digest that two models share where all their files have the same bytes."""
    lines = sorted(f"{f.path}\0{f.kind}\0{f.digest}\0{f.inside}\n" for f in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
