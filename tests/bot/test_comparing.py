"""Two local models, judged as the check judges those of a change."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the model extra")
pytest.importorskip("transformers", reason="needs the model extra")

from bot import comparing
from bot.checks.regression import Settings
from bot.verdict import Outcome
from lab.model.folder import inspect
from lab.protocol import Item, ItemScore, Kind, ModelScores, PaceScores, Task, TaskScores
from lab.scoring.turns import Found
from tests.lab.models import make_model

TASK = Task("words", tuple(Item(str(n), "", ("some text",)) for n in range(60)), Kind.TEXT)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    base = make_model(folder / "base")
    shutil.copytree(base, folder / "next")
    config = folder / "next" / "config.json"
    config.write_text(
        config.read_text().replace('"rms_norm_eps"', '"eps_of_old": 1, "rms_norm_eps"')
    )
    return base, folder / "next"


def scored(name: str, more: float) -> ModelScores:
    found = tuple(ItemScore(i.id, 9 + more * (1 + n % 7), 3, 9) for n, i in enumerate(TASK.items))
    tasks = (TaskScores("words", found),)
    return ModelScores(name, "f" * 64, 7, "Llama", "cpu", "float32", tasks)


def test_the_same_model_is_identical_and_needs_no_scores(models: tuple[Path, Path]) -> None:
    files = inspect(models[0])
    found = comparing.report(files, files, (TASK,), Found(()), Settings())
    [verdict] = found.verdicts
    assert (found.exit_code, verdict.reason) == (0, "base: unchanged")
    assert [f.rule for f in verdict.findings] == ["regression/identical"]


@pytest.mark.parametrize(
    ("more", "outcome", "code"), [(1.0, Outcome.FAIL, 1), (-1.0, Outcome.PASS, 0)]
)
def test_a_worse_model_fails_and_a_better_one_passes(
    models: tuple[Path, Path], more: float, outcome: Outcome, code: int
) -> None:
    base, head = map(inspect, models)
    found = Found((scored("base", 0), scored("head", more)))
    report = comparing.report(base, head, (TASK,), found, Settings())
    [verdict] = report.verdicts
    assert (report.exit_code, verdict.outcome) == (code, outcome)
    assert verdict.reason.startswith("next: 1 suite, 60 items; Llama, 7 parameters")
    assert verdict.exhibits


def test_pace_is_judged_where_it_was_timed(models: tuple[Path, Path]) -> None:
    base, head = map(inspect, models)
    pairs = tuple((1.0, 2 + n / 99) for n in range(30))
    found = Found((scored("base", 0), scored("head", -1)), PaceScores(pairs, ()))
    [verdict] = comparing.report(base, head, (TASK,), found, Settings()).verdicts
    assert "regression/slower" in {f.rule for f in verdict.findings}
    [verdict] = comparing.report(
        base, head, (TASK,), replace(found, pace=None), Settings()
    ).verdicts
    assert "regression/slower" not in {f.rule for f in verdict.findings}
