"""`modelwarden` as it is typed in a clone, in this process or in one that can be killed."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from bot import cli
from tests.bot.releasing.project import Project


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The message and its remedy: the last two lines, of which there are no more."""
        lines = self.err.rstrip("\n").split("\n")
        at = [n for n, line in enumerate(lines) if line.startswith("modelwarden: ")]
        assert len(at) == 1 and at[0] == len(lines) - 2 and lines[-1].startswith("  "), self.err
        return "\n".join(lines[-2:])


class Warden:
    """Call it with a clone and words."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.patch, self.capture = monkeypatch, capfd

    def __call__(self, at: Project, *words: object) -> Done:
        self.patch.chdir(at.path)
        self.patch.setattr(sys, "argv", ["modelwarden", *map(str, words)])
        self.capture.readouterr()
        code = cli.main()
        said = self.capture.readouterr()
        assert "Traceback" not in said.err, said.err
        assert "unexpected error" not in said.err, said.err
        return Done(code, said.out, said.err)

    def release(self, at: Project, *words: object) -> Done:
        """Run `release run` with the clone's owner's key."""
        return self(at, "release", "run", "--key", at.key(), *words)
