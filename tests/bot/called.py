"""`modelwarden` as it is typed, in this process: starting Python costs a second each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import cli
from tests.gitrepo import environment


@dataclass(frozen=True)
class Done:
    """How it ended, named as subprocess does."""

    returncode: int
    stdout: str
    stderr: str


Here = Callable[..., Done]  # a folder, words


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    """Run a command in a folder. Not for what is about streams, signals or limits."""

    def called(place: Path, *words: str) -> Done:
        monkeypatch.chdir(place)
        for name, text in environment().items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr(sys, "argv", ["modelwarden", *words])
        capfd.readouterr()
        code = cli.main()
        return Done(code, *capfd.readouterr())

    return called
