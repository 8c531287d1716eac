"""Task files of lm-evaluation-harness, read without running code of theirs."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import SuiteError
from lab.harness.config import load
from lab.harness.files import Files, inside
from lab.harness.group import members
from lab.protocol import Task


def read(
    path: str,
    opened: Callable[[str], bytes],
    *,
    trust: bool = False,
    limit: int | None = None,
    fields: tuple[str, ...] = (),
) -> tuple[Task, ...]:
    """Read a task file, or all tasks of a group. Raises SuiteError.

    `opened` returns a file by its path from the root, of bounded size, and raises
    FileNotFoundError where there is none; nothing else is read. With `trust`, Python beside the
    file runs in this process. `limit` is the number of items of each task; `fields` are those
    of a document that make slices, next to what the file names in `metadata.slices`.
    """
    try:
        from lab.harness.code import Code
        from lab.harness.items import tasks
    except ModuleNotFoundError as error:
        hint = "install modelwarden[model]"
        raise SuiteError(f"{error.name} is not installed", hint, file=path) from error
    place = inside("", path)
    if place is None:
        raise SuiteError("not a path within the root", "write a relative path", file=path)
    found: list[Task] = []
    for config in members(load(place, Files(opened)), Files(opened)):
        files = Files(opened)
        found += tasks(config, files, Code(files, trust=trust), limit, fields)
    return tuple(found)
