"""Losses that were tolerated one by one add up from the release: a real model, really scored."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")

from bot.checks import regression
from bot.checks.regression import Evidence, Settings
from bot.repository import GitWorld
from tests.bot.checks.regression.test_lineage import issue
from tests.bot.checks.test_regression_models import SETTINGS, place
from tests.bot.checks.test_regression_models import damaged as damaged
from tests.bot.checks.test_regression_models import repository as repository
from tests.bot.checks.test_regression_models import trained as trained
from tests.gitrepo import Repo

SMALL = SETTINGS.model_copy(update={"suite": SETTINGS.suite[:1], "slowdown": 0})


def collect(repo: Repo, base: str, head: str, settings: Settings) -> tuple[Evidence, list[str]]:
    with GitWorld(repo.path) as world:
        found = regression.collect(world.change(base, head), world, settings)
    return found, [f.rule for f in regression.judge(found, settings)]


def test_head_is_scored_against_the_release(repository: Path, trained: Path, damaged: Path) -> None:
    repo = Repo(repository)
    place(trained, repository)
    released = repo.commit({})
    issue(repo, "1.0.0", released, folder="model")
    place(damaged, repository)
    base = repo.commit({})
    head = repo.commit({"model/generation_config.json": "{}", "model/config.json": (
        (damaged / "config.json").read_text() + "\n"
    )})  # fmt: skip
    _, said = collect(repo, base, head, SMALL)
    assert said == ["regression/identical"]  # nothing but white space changed
    found, said = collect(repo, base, head, SMALL.model_copy(update={"baseline": "release"}))
    assert "regression/baseline" in said and "regression/regressed" in said
    assert found.lineage is not None and found.lineage.release == "1.0.0"
