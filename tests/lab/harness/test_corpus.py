"""The task files that lm-evaluation-harness comes with are read, or refused with a reason."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from lab.errors import SuiteError
from lab.harness.code import Code
from lab.harness.config import load
from lab.harness.files import Files
from lab.harness.group import members
from lab.harness.recipe import recipe

EVERY = 23  # of nearly 14,000


def test_the_tasks_of_the_harness() -> None:
    spec = find_spec("lm_eval")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("lm-eval is not installed")
    root = Path(spec.submodule_search_locations[0]) / "tasks"
    files = Files(lambda path: (root / path).read_bytes())
    code, read, refused = Code(files, trust=False), 0, 0
    for path in sorted(root.rglob("*.yaml"))[::EVERY]:
        try:
            config = load(path.relative_to(root).as_posix(), files)
            if config.get("task") is None and config.get("group") is None:
                continue  # a part of others
            for member in members(config, files):
                recipe(member, code)
            read += 1
        except SuiteError as error:
            assert error.hint
            assert error.file
            refused += 1
    assert read > 100
    assert 0.25 < read / (read + refused) < 0.5
