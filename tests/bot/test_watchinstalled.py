from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import cli
from bot.watchinstalled import environment
from tests.bot.checks.licenses.test_texts import CLAUSE, MIT


def install(home: Path, name: str, fields: str, text: str = "") -> None:
    info = home / "lib/python3.11/site-packages" / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n{fields}\n\n")
    if text:
        (info / "LICENSE").write_text(text)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "env"))
    env = tmp_path / "env"
    install(env, "plain", "License: MIT", MIT)
    install(env, "silent", "", MIT)
    install(env, "two_faced", "License: ISC", MIT)
    install(env, "bound", "License: MIT", MIT + CLAUSE)
    install(env, "unknown", "License: UNKNOWN")
    return env


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, ["watch", "licenses", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_installed_is_listed(home: Path) -> None:
    for _ in range(2):  # read, then remembered
        assert run("--installed").splitlines() == [
            "bound 1.0: unclear: its licence file is MIT and besides "
            '"The Software may not be used for commercial purposes"',
            "plain 1.0: MIT",
            "silent 1.0: MIT",
            "two-faced 1.0: MIT (its metadata says ISC, its licence file is MIT)",
            "unknown 1.0: unclear: its metadata states no licence",
            f"3 of 5 packages resolved in {home / 'lib/python3.11/site-packages'}",
        ]


def test_names_are_printable(home: Path) -> None:
    install(home, "a\x1b[2J", "License: MIT")
    assert "\x1b" not in run("--installed")


def test_as_json(home: Path) -> None:
    rows = {row["name"]: row for row in json.loads(run("--installed", "--format", "json"))}
    assert rows["two-faced"] == {
        "name": "two-faced",
        "version": "1.0",
        "license": "MIT",
        "reason": "",
        "disagrees": "its metadata says ISC, its licence file is MIT",
    }


def test_a_change_on_disk_is_seen(home: Path) -> None:
    assert "plain 1.0: MIT\n" in run("--installed")
    (home / "lib/python3.11/site-packages/plain-1.0.dist-info/LICENSE").write_text(MIT + CLAUSE)
    assert "plain 1.0: unclear" in run("--installed")


def test_no_index_is_asked(home: Path) -> None:
    done = CliRunner().invoke(cli, ["watch", "licenses", "--installed", "--update"])
    assert done.exit_code == 2
    assert "asks no index" in done.output


def test_which_environment_is_meant(tmp_path: Path) -> None:
    active, own = tmp_path / "active", tmp_path / "repo"
    for home in (active, own / ".venv"):
        install(home, "x", "")
    site = "lib/python3.11/site-packages"
    assert environment(own, {"VIRTUAL_ENV": str(active)}) == (active / site,)
    assert environment(own, {}) == (own / ".venv" / site,)
    assert environment(own, {"VIRTUAL_ENV": str(tmp_path / "gone")}) == (own / ".venv" / site,)
    assert environment(tmp_path, {})[0].name in ("site-packages", "dist-packages")
