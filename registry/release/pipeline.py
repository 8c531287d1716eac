"""A `dvc.lock` as a release binds it: its stages with what they read and wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from registry.documents import DocumentError, load_yaml
from registry.errors import PointerError
from registry.pointers import DVC_LIMIT, resolve
from registry.release.values import Pipeline, Stage

CODE = (".py", ".sh", ".ipynb", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".json", ".mk", ".R")
_HINT = "run 'dvc repro', and commit dvc.lock"


def read(data: bytes, path: str, wdirs: Mapping[str, str]) -> Pipeline:
    """Read the `dvc.lock` at `path`; `wdirs` as `pointers.read_wdirs` found them.

    Paths are from the repository's root. Raises PointerError.
    """
    try:
        found = load_yaml(data, limit=DVC_LIMIT).value
    except DocumentError as error:
        raise PointerError(f"{path}: {error.message}", _HINT) from error
    stages = found.get("stages") if isinstance(found, dict) else None
    if not isinstance(stages, dict):
        raise PointerError(f"{path}: no stages", _HINT)
    folder = path.rpartition("/")[0]
    made = tuple(
        _stage(str(name), body, folder, wdirs.get(str(name).partition("@")[0], "."), path)
        for name, body in stages.items()
    )
    return Pipeline(path, hashlib.sha256(data).hexdigest(), made)


def _stage(name: str, body: Any, folder: str, wdir: str, path: str) -> Stage:
    if not isinstance(body, dict):
        raise PointerError(f"{path}: stage {name!r:.80} is no mapping", _HINT)
    command = body.get("cmd", "")
    lines = command if isinstance(command, list) else [command]
    return Stage(
        name,
        "\n".join(str(line) for line in lines),
        tuple(_files(body.get("deps"), folder, wdir)),
        tuple(_files(body.get("outs"), folder, wdir)),
    )


def _files(found: Any, folder: str, wdir: str) -> Iterator[tuple[str, str]]:
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get("path"), str):
            outside = "://" in item["path"] or item["path"].startswith("/")
            place = None if outside else resolve(folder, wdir, item["path"])
            yield place or item["path"], str(item.get("md5", ""))


def maker(pipeline: Pipeline, path: str) -> Stage | None:
    """Return the stage that writes a path, or a folder that holds it."""
    for stage in pipeline.stages:
        if any(path == out or path.startswith(out + "/") for out, _ in stage.outs):
            return stage
    return None


def sources(pipeline: Pipeline, path: str) -> tuple[str, ...]:
    """Return what a path was made from, through all stages, sorted: neither code nor settings."""
    found: set[str] = set()
    open_, seen = [path], set[str]()
    while open_:
        stage = maker(pipeline, open_.pop())
        if stage is None or stage.name in seen:
            continue
        seen.add(stage.name)
        for dep, _ in stage.deps:
            if maker(pipeline, dep) is not None:
                open_.append(dep)  # made by a stage itself: what that read is the source
            elif not dep.endswith(CODE):
                found.add(dep)
    return tuple(sorted(found))
