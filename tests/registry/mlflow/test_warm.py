"""MLflow's process, started before it is needed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from registry.errors import StoreFailed
from registry.mlflow import Registry
from tests.registry.release.made import typical


def test_warming_makes_nothing_and_the_first_call_answers(tmp_path: Path) -> None:
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry:
        registry.warm()
        child = registry._calls._process
        registry.warm()
        assert child is not None and registry._calls._process is child
        assert list(tmp_path.iterdir()) == []
        assert registry.versions("acme/tiny") == ()  # no file, nobody is asked
        made = registry.record(typical(), "9" * 64, tmp_path, lambda line: None)
        assert registry._calls._process is child
        assert [one.number for one in registry.versions("acme/tiny")] == [made.version]


def test_a_process_that_died_while_it_was_not_needed(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry:
        registry.warm()
        child = registry._calls._process
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        with pytest.raises(StoreFailed):
            registry.versions("acme/tiny")
        assert registry.aliases("acme/tiny") is not None  # the next call has another process


def test_one_that_was_never_asked_ends_with_its_registry(tmp_path: Path) -> None:
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry:
        registry.warm()
        child = registry._calls._process
    assert child is not None and child.returncode is not None
