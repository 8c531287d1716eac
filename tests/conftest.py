"""Shared fixtures. Nothing of the machine's own caches or configuration is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.advisories.database import VARIABLE
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


@pytest.fixture(scope="session", autouse=True)
def _small_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    # As after `watch advisories --update`; one that is missing or old is what its own tests set.
    path = database(tmp_path_factory.mktemp("advisories") / "advisories.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(path))
        yield


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")
