"""Over real git, with what was read kept between runs."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from bot.cache import Cache
from bot.checks import dependencies
from bot.checks.dependencies import Evidence, Settings
from bot.cli import cli
from bot.repository import GitWorld
from tests.bot.checks.dependencies.test_locked import NEW, OLD
from tests.gitrepo import Repo

PROJECT = '[project]\nname = "own"\ndependencies = [\n    "a>=1,<3",\n]\n'
BASE = {"pyproject.toml": PROJECT, "uv.lock": OLD, "src/own/a.py": "import a\n"}
HEAD = {**BASE, "uv.lock": NEW, "src/own/a.py": "import a\nimport yaml\n"}


def collected(repo: Repo, base: str, head: str, cache: Cache) -> Evidence:
    with GitWorld(repo.path, cache) as world:
        return dependencies.collect(world.change(base, head), world, Settings())


def test_what_is_kept_says_the_same(repo: Repo, tmp_path: Path) -> None:
    base, head = repo.commit(BASE), repo.commit(HEAD)
    first, again = (collected(repo, base, head, Cache(tmp_path / "c.db")) for _ in range(2))
    assert first == again
    assert [f.rule for f in dependencies.judge(again, Settings())] == [
        "dependencies/transitive",
        "dependencies/transitive",
        "dependencies/undeclared",
    ]


def test_the_command_tells_it_on_its_line(repo: Repo) -> None:
    base, head = repo.commit(BASE), repo.commit(HEAD)
    words = ["check", "--repo", str(repo.path), "--base", base, "--head", head]
    result = CliRunner().invoke(cli, [*words, "--only", "dependencies"])
    assert result.exit_code == 0, result.output
    assert "src/own/a.py:2" in result.output and "yaml is imported here" in result.output
    assert "a -> b -> c" in result.output and "a went from 1 to 2" in result.output
