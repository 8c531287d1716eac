"""The weights of two releases, tensor by tensor, as the check of pull requests sees a change."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from pathlib import Path

from lab.tensors.compare import compare
from lab.tensors.layout import layout
from lab.tensors.values import Diff
from registry.errors import MissingWeights, UnsafeWeights
from registry.modelconfig import ConfigError, read_index
from security.scan.source import Source, of_descriptor

LIMIT = 50_000_000_000  # bytes that are read
INDEX_LIMIT = 50_000_000  # bytes of an index of shards
MAX_FILES = 2_000
SUFFIX, INDEX = ".safetensors", "model.safetensors.index.json"


def between(old: Path, new: Path, *, limit: int = LIMIT) -> Diff:
    """Compare the models in two folders, reading at most about `limit` bytes.

    What a folder holds of its model is what its index of shards names, else model.safetensors,
    else every safetensors file. A file that is the same one on both sides is not read.

    Raises MissingWeights, UnsafeWeights, and what security raises for a malformed file.
    """
    names = {folder: _files(folder) for folder in (old, new)}
    same = {
        name
        for name in set(names[old]) & set(names[new])
        if os.path.samestat((old / name).lstat(), (new / name).lstat())
    }
    with ExitStack() as stack:
        before, after = (
            layout(_opened(folder, name, stack) for name in names[folder] if name not in same)
            for folder in (old, new)
        )
        return compare(before, after, limit)


def _files(folder: Path) -> tuple[str, ...]:
    index = folder / INDEX
    try:
        found = sorted(path.name for path in folder.iterdir() if path.name.endswith(SUFFIX))
        if index.is_file():
            with index.open("rb") as file:
                data = file.read(INDEX_LIMIT + 1)
            if len(data) > INDEX_LIMIT:
                raise UnsafeWeights(f"{INDEX} has more than {INDEX_LIMIT:,} bytes", "split it")
            shards = read_index(data, INDEX)
            if shards.unsafe:
                what = f"{INDEX} names {shards.unsafe[0]}, which is no shard"
                raise UnsafeWeights(what, "save the model again")
            named = list(shards.shards)
            if missing := [name for name in named if name not in found]:
                raise MissingWeights(
                    f"{INDEX} names {missing[0]!r:.80}, which is not there", "fetch it first"
                )
            found = named
        elif "model.safetensors" in found:
            found = ["model.safetensors"]
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise MissingWeights(f"{folder.name}: {reason}", "name a folder with a model") from error
    except ConfigError as error:
        raise UnsafeWeights(f"{INDEX}: {error}", "save the model again") from error
    if not found:
        raise MissingWeights(
            f"{folder.name} holds no safetensors file", "tensors are compared in safetensors alone"
        )
    if len(found) > MAX_FILES:
        raise UnsafeWeights(f"{folder.name} holds more than {MAX_FILES:,} files", "use fewer")
    return tuple(found)


def _opened(folder: Path, name: str, stack: ExitStack) -> Source:
    """Open a regular file, never through a link."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnsafeWeights(f"{name}: {error.strerror}", "put the file itself there") from error
    stack.callback(os.close, handle)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise UnsafeWeights(f"{name} is no regular file", "put the file itself there")
    return of_descriptor(name, handle)
