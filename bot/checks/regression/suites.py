"""Suites as the base commit holds them, and the fixed choice of their items."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from bot.checks.regression.settings import SuiteFile
from bot.errors import CouldNotTell
from bot.world import World
from lab.errors import SuiteError
from lab.protocol import Item, Task
from lab.suite import SIZE_LIMIT, read_task
from security.sniff import is_lfs


class BadSuite(CouldNotTell):
    """A suite of the policy cannot be used."""


@dataclass(frozen=True, slots=True)
class Suites:
    """The tasks to score and a digest of everything in them."""

    tasks: tuple[Task, ...]
    digest: str


def read_suites(world: World, commit: str, files: tuple[SuiteFile, ...], limit: int) -> Suites:
    """Read every suite at the commit, `limit` items of each. Raises BadSuite."""
    tasks, digest = [], hashlib.sha256(str(limit).encode())
    for file in files:
        data = _data(world, commit, file)
        digest.update(f"\0{file.name}\0{hashlib.sha256(data).hexdigest()}".encode())
        try:
            task = read_task(file.name, data)
        except SuiteError as error:
            place = f"{file.path}:{error.line}" if error.line else file.path
            raise BadSuite(f"{place}: {error.message}", error.hint) from error
        tasks.append(replace(task, items=chosen(task.items, limit)))
    return Suites(tuple(tasks), digest.hexdigest())


def _data(world: World, commit: str, file: SuiteFile) -> bytes:
    entry = world.entry(commit, file.path)
    if entry is None or not entry.is_file:
        reason = "is not there" if entry is None else "is not a regular file"
        hint = "name a JSONL file that the base commit holds, or merge the suite first"
        raise BadSuite(f"suite {file.path} {reason} at the base commit", hint)
    try:
        data = world.read(entry.blob, SIZE_LIMIT)
    except CouldNotTell as error:
        raise BadSuite(f"suite {file.path}: {error.message}", error.hint) from error
    if is_lfs(data[:200]):
        hint = "suites are small text: keep them in git itself"
        raise BadSuite(f"suite {file.path} is a Git LFS pointer", hint)
    return data


def chosen(items: tuple[Item, ...], limit: int) -> tuple[Item, ...]:
    """Return at most `limit` items in their order: the same ones whatever the change does."""
    if len(items) <= limit:
        return items
    kept = sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).digest())[:limit]
    names = {item.id for item in kept}
    return tuple(item for item in items if item.id in names)
