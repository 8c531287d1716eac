"""One real project for all tests of releases; each test has a copy of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.releasing import project as made
from tests.bot.releasing.hosting import at as at
from tests.bot.releasing.hosting import github as github
from tests.bot.releasing.project import Project
from tests.bot.releasing.running import Warden


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.make(tmp_path_factory.mktemp("seed") / "place").place


@pytest.fixture
def alice(seed: Path, tmp_path: Path) -> Project:
    """A copy of the project, nothing of it released."""
    return made.copied(seed, tmp_path / "place")


@pytest.fixture
def warden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Warden:
    # What one test saw is not what another remembers; scores of the same model are kept.
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Warden(monkeypatch, capfd)
