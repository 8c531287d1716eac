"""Groups: a file that names other tasks, each a file beside it or written out in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.errors import SuiteError
from lab.harness.config import Config, load
from lab.harness.files import Files, inside

DEPTH_LIMIT = 8
MEMBER_LIMIT = 2_000

_GROUP_KEYS = frozenset(
    {"group", "group_alias", "task", "aggregate_metric_list", "metadata", "include"}
)


def members(config: Config, files: Files, depth: int = 0) -> Iterator[Config]:
    """Yield the task itself, or all of a group's, with what the group sets. Raises SuiteError."""
    if config.get("group") is None:
        yield config
        return
    if depth > DEPTH_LIMIT:
        raise config.error("group", f"groups nested deeper than {DEPTH_LIMIT}", "flatten them")
    named = config.get("task")
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not 0 < len(named) <= MEMBER_LIMIT:
        raise config.error("task", "a group without a list of tasks", "list its tasks")
    common = {e.key: e.value for e in config.entries if e.key not in _GROUP_KEYS}
    for one in named:
        yield from _member(config, one, common, files, depth)


def _member(
    config: Config, one: object, common: dict[str, Any], files: Files, depth: int
) -> Iterator[Config]:
    given = {"task": one} if isinstance(one, str) else one
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise config.error("task", f"{one!r:.80} is no task", "name a task of the group")
    if "group" in given and isinstance(given.get("task"), list):
        yield from members(
            Config((), config.file).override({**given, **common}, ""), files, depth + 1
        )
        return
    name = given.get("group", given.get("task"))
    found = _beside(config, name, files)
    values = common | {key: value for key, value in given.items() if key not in ("task", "group")}
    if found is not None:
        yield from members(found.override(values, "task"), files, depth + 1)
    elif "dataset_path" in values:
        inline = Config((), config.file).override(
            {**values, "task": f"{config.get('group')}::{name}"}, ""
        )
        yield inline
    else:
        raise config.error(
            "task",
            f"no task {name!r:.80} beside the group",
            f"keep it as {name!s:.80}.yaml in the same folder; tasks elsewhere are not searched",
        )


def _beside(config: Config, name: object, files: Files) -> Config | None:
    for ending in (".yaml", ".yml"):
        path = inside(config.folder, f"{name}{ending}") if isinstance(name, str) else None
        if path is not None and files.find(path) is not None:
            found = load(path, files)
            if name in (found.get("task"), found.get("group")):
                return found
            message = f"the task in this file is not {name!r:.80}"
            raise SuiteError(message, "give the file the name of its task", file=path)
    return None
