"""Python that a task file names with `!function`: run only where its user trusts it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from lab.errors import SuiteError, one_line
from lab.harness.config import TRUST
from lab.harness.files import Files, inside
from lab.harness.syntax import Function


class Code:
    """Looks up functions in Python files beside the task file, each run once."""

    def __init__(self, files: Files, *, trust: bool) -> None:
        self.trust = trust
        self._files = files
        self._modules: dict[str, ModuleType] = {}

    def function(self, function: Function) -> Callable[..., Any]:
        """Return the function. Raises SuiteError; runs nothing unless trusted."""
        if not self.trust:
            raise SuiteError(f"needs Python ({function.name:.80})", TRUST)
        module, _, name = function.name.rpartition(".")
        path = inside(function.folder, module.replace(".", "/") + ".py")
        if not module or path is None:
            raise SuiteError(f"{function.name!r:.80} is not module.function", "correct the name")
        if path not in self._modules:
            self._modules[path] = self._run(path, module)
        found = getattr(self._modules[path], name, None)
        if not callable(found):
            raise SuiteError(f"has no function {name!r:.80}", "correct the name", file=path)
        return lambda *args: _called(found, function.name, args)

    def documents(self, function: Function, documents: list[dict[str, Any]]) -> Any:
        """Return what a `process_docs` function makes of a split."""
        call = self.function(function)
        try:
            datasets = importlib.import_module("datasets")
        except ModuleNotFoundError as error:
            hint = "install datasets, which process_docs functions expect"
            raise SuiteError("datasets is not installed", hint) from error
        return [dict(one) for one in call(datasets.Dataset.from_list(documents))]

    def _run(self, path: str, name: str) -> ModuleType:
        source = self._files.read(path)
        module = ModuleType(name)
        module.__file__ = path
        try:
            exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - the user said so
        except Exception as error:  # a stranger's module may raise anything
            raise SuiteError(one_line(error), "correct the module", file=path) from error
        return module


def _called(function: Callable[..., Any], name: str, args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except Exception as error:  # likewise
        raise SuiteError(f"{name}: {one_line(error)}", "correct the function") from error
