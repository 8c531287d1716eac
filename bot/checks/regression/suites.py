"""Suites as the base commit holds them, and the fixed choice of their items."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from bot.checks.regression.settings import SuiteFile
from bot.errors import CouldNotTell
from bot.world import World
from lab.errors import SuiteError
from lab.items.order import ordered
from lab.items.suite import SIZE_LIMIT
from lab.items.suites import read_suite
from lab.protocol import Task
from lab.record import digest_of
from security.sniff import is_lfs


class BadSuite(CouldNotTell):
    """A suite of the policy cannot be used."""


@dataclass(frozen=True, slots=True)
class Suites:
    """The tasks to score, a digest of everything in them, and the files they were read from."""

    tasks: tuple[Task, ...]
    digest: str
    files: frozenset[str]


def read_suites(world: World, commit: str, files: tuple[SuiteFile, ...], limit: int) -> Suites:
    """Read every suite at the commit, `limit` items of each. Raises BadSuite."""
    reader = _Reader(world, commit)
    tasks = tuple(task for file in files for task in _tasks(reader, file, limit))
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise BadSuite("two tasks have the same name", "rename one of the suites")
    digest = hashlib.sha256("\n".join(map(digest_of, tasks)).encode())
    return Suites(tasks, digest.hexdigest(), frozenset(reader.seen))


def _tasks(reader: _Reader, file: SuiteFile, limit: int) -> tuple[Task, ...]:
    reader.suite = file.path
    try:
        found = read_suite(file.name, file.path, reader)
    except SuiteError as error:
        path = error.file if error.file not in ("", file.name) else file.path
        place = f"{path}:{error.line}" if error.line else path
        raise BadSuite(f"{place}: {error.message}", error.hint) from error
    return tuple(ordered(task, limit) for task in found)


class _Reader:
    """Reads files of a commit, bounded, and remembers which."""

    def __init__(self, world: World, commit: str) -> None:
        self._world, self._commit = world, commit
        self.seen: set[str] = set()
        self.suite = ""

    def __call__(self, path: str) -> bytes:
        self.seen.add(path)
        entry = self._world.entry(self._commit, path)
        if entry is None and path != self.suite:
            raise FileNotFoundError(path)
        if entry is None or not entry.is_file:
            reason = "is not there" if entry is None else "is not a regular file"
            hint = "name a suite that the base commit holds, or merge the suite first"
            raise BadSuite(f"suite {path} {reason} at the base commit", hint)
        try:
            data = self._world.read(entry.blob, SIZE_LIMIT)
        except CouldNotTell as error:
            raise BadSuite(f"suite {path}: {error.message}", error.hint) from error
        if is_lfs(data[:200]):
            hint = "suites are small text: keep them in git itself"
            raise BadSuite(f"suite {path} is a Git LFS pointer", hint)
        return data
