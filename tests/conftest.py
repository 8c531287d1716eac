"""Shared fixtures. Nothing of the machine's own caches or configuration is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.advisorydata import database
from tests.gitrepo import Repo


@pytest.fixture(autouse=True)
def _private_folders(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")


@pytest.fixture(scope="session")
def _advisories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database(tmp_path_factory.mktemp("advisories") / "advisories.db")


@pytest.fixture(autouse=True)
def _small_database(_advisories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As after `watch advisories --update`; one that is missing or old is what its own tests set.
    monkeypatch.setenv("MODELWARDEN_ADVISORIES", str(_advisories))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")
