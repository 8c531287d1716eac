"""One suite file to tasks, whatever its format: JSONL, or a task file of lm-evaluation-harness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lab.errors import SuiteError
from lab.items import filters
from lab.items.suite import read_task
from lab.metrics.catalog import check
from lab.protocol import Task

Opened = Callable[[str], bytes]


def read_suite(name: str, path: str, opened: Opened, *, trust: bool = False) -> tuple[Task, ...]:
    """Return the tasks of a suite, the first named `name`. Raises SuiteError.

    Metrics and filters are proven here: what could not be computed is no suite.
    `opened` reads a file, of which it knows how large it may be; `path` and every file that a
    task file names are paths it understands. `trust` lets a task file run functions of its own.
    """
    found = _read(name, path, opened, trust)
    for task in found:
        check(task)
        filters.check(task.generation.filters)
    return found


def _read(name: str, path: str, opened: Opened, trust: bool) -> tuple[Task, ...]:
    if path.endswith(".jsonl"):
        return (read_task(name, opened(path)),)
    if path.endswith((".yaml", ".yml")):
        from lab.harness import read

        found = read(path, opened, trust=trust)
        alone = len(found) == 1
        return tuple(replace(t, name=name if alone else f"{name}/{t.name}") for t in found)
    hint = "name a .jsonl file of items, or a .yaml task of lm-evaluation-harness"
    raise SuiteError("no suite, by its name", hint, file=path)
