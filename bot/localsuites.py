"""Suites of the user's own disk, or those that the policy of the folder names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot import catalog, policy
from bot.checks import regression
from bot.errors import UsageError
from lab.errors import SuiteError
from lab.items.suite import SIZE_LIMIT
from lab.items.suites import read_suite
from lab.protocol import Task


def read_suites(
    paths: Sequence[Path], *, trust: bool
) -> tuple[regression.Settings, tuple[Task, ...]]:
    """Return the folder's policy for models, and the tasks of every suite. Raises UsageError."""
    settings = _settings(Path())
    named = [(path.stem, path) for path in paths]
    if not paths:
        named = [(suite.name, Path(suite.path)) for suite in settings.suite]
    if not named:
        hint = "pass --suite FILE, or name suites under regression.suite in the policy"
        raise UsageError("no suite to measure on", hint)
    tasks = tuple(task for name, path in named for task in _read(name, path, trust))
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise UsageError("two suites have the same name", "rename one of the files")
    return settings, tasks


def _settings(folder: Path) -> regression.Settings:
    path = folder / policy.POLICY_PATH
    if not path.is_file():
        return regression.Settings()
    with path.open("rb") as file:
        data = file.read(policy.POLICY_LIMIT + 1)
    used = policy.load(data, str(path), str(path), catalog.CHECKS, catalog.rules(catalog.CHECKS))
    settings: regression.Settings = used.section(regression.NAME)
    return settings


def _read(name: str, path: Path, trust: bool) -> tuple[Task, ...]:
    place = path.absolute()
    # A task file may include its neighbours, and those above it in the project.
    root = Path.cwd() if place.is_relative_to(Path.cwd()) else place.parent

    def opened(inside: str) -> bytes:
        with (root / inside).open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
        if len(data) > SIZE_LIMIT:
            raise SuiteError(f"more than {SIZE_LIMIT:,} bytes", "cut the file", file=inside)
        return data

    try:
        return read_suite(name, place.relative_to(root).as_posix(), opened, trust=trust)
    except SuiteError as error:
        where = str(path) if error.file in ("", name) else str(root / error.file)
        line = f":{error.line}" if error.line else ""
        raise UsageError(f"{where}{line}: {error.message}", error.hint) from error
