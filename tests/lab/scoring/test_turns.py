from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab.deciding.gate import Ruling, judge
from lab.errors import ModelError
from lab.items.order import ordered, schedule
from lab.model.folder import inspect
from lab.protocol import Gate, Item, Kind, Pace, Task
from lab.scoring.turns import Subject, run
from tests.lab.models import TEXT, make_model

TEXTS = ordered(
    Task(
        "texts",
        tuple(Item(str(n), "", (TEXT[n % 4][n % 9 : 12 + n % 30],)) for n in range(300)),
        Kind.TEXT,
    ),
    300,
)
QUIZ = Task(
    "quiz",
    tuple(Item(str(n), TEXT[n % 4][:20], (" boat", " sea"), n % 2) for n in range(8)),
    Kind.CHOICES,
)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("other"), seed=1)


def test_the_gate_ends_scoring_at_a_look(llama: Path, other: Path) -> None:
    """Two random models of the same size are no worse than each other within a wide margin."""
    gate = Gate(tolerance=1.0, resolution=3.0)
    subjects = [Subject("base", inspect(llama)), Subject("head", inspect(other))]
    told: list[tuple[str, int, int]] = []
    found = run(subjects, [TEXTS], device="cpu", gate=gate,
                tell=lambda *words: told.append(words)).scores  # fmt: skip
    base, head = (model.tasks for model in found)
    [decision] = judge([TEXTS], base, head, gate)
    assert decision.settled
    assert decision.verdict is not Ruling.INCONCLUSIVE
    assert len(base[0].items) == len(head[0].items) == schedule(TEXTS, gate)[4] < 300
    assert {name for name, _, _ in told} == {"base", "head"}
    whole = run(subjects, [TEXTS], device="cpu", gate=replace(gate, early=False)).scores
    for early, full in zip(found, whole, strict=True):
        count = len(early.tasks[0].items)
        assert len(full.tasks[0].items) == 300
        assert [i.nll for i in early.tasks[0].items] == pytest.approx(
            [i.nll for i in full.tasks[0].items[:count]], abs=1e-4
        )


def test_what_is_known_is_not_scored_again(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    files = inspect(folder)
    [first] = run([Subject("m", files)], [TEXTS, QUIZ], device="cpu").scores
    part = replace(first, tasks=(replace(first.tasks[0], items=first.tasks[0].items[:100]),))
    [again] = run([Subject("n", files, part)], [TEXTS, QUIZ], device="cpu").scores
    assert [i.id for i in again.tasks[0].items] == [i.id for i in TEXTS.items]
    assert again.tasks[0].items[:100] == first.tasks[0].items[:100]
    assert [i.nll for t in again.tasks for i in t.items] == pytest.approx(
        [i.nll for t in first.tasks for i in t.items], abs=1e-4
    )
    shutil.rmtree(folder)  # all is known: nothing is loaded
    [kept] = run([Subject("n", files, first)], [TEXTS, QUIZ], device="cpu").scores
    assert kept == replace(first, model="n")


def test_a_budget_ends_scoring_with_a_part_of_every_task(llama: Path) -> None:
    found = run([Subject("m", inspect(llama))], [TEXTS, QUIZ], device="cpu", budget=1e-9).scores
    assert [len(task.items) for task in found[0].tasks] == [19, 1]
    assert all(task.usage.cpu > 0 for task in found[0].tasks)


def test_a_budget_ends_a_comparison_before_its_first_look(llama: Path, other: Path) -> None:
    """What it did not see it does not judge, however wide the margin."""
    gate = Gate(tolerance=1.0, resolution=3.0)
    subjects = [Subject("base", inspect(llama)), Subject("head", inspect(other))]
    found = run(subjects, [TEXTS], device="cpu", gate=gate, budget=1e-9).scores
    base, head = (model.tasks for model in found)
    assert len(base[0].items) == len(head[0].items) < schedule(TEXTS, gate)[0]
    [decision] = judge([TEXTS], base, head, gate)
    assert (decision.verdict, decision.settled) == (Ruling.INCONCLUSIVE, False)
    assert "of 300 items scored" in decision.reason
    ended = run(subjects, [TEXTS], device="cpu", gate=gate, budget=1e9).scores
    whole = run(subjects, [TEXTS], device="cpu", gate=gate).scores
    assert [len(m.tasks[0].items) for m in ended] == [len(m.tasks[0].items) for m in whole]


@pytest.mark.parametrize("early", [True, False])
def test_a_budget_ends_a_comparison_without_looks(llama: Path, other: Path, early: bool) -> None:
    subjects = [Subject("base", inspect(llama)), Subject("head", inspect(other))]
    gate = Gate(early=early)
    found = run(subjects, [QUIZ], device="cpu", gate=gate, budget=1e-9).scores
    assert [len(model.tasks[0].items) for model in found] == [1, 1]


def test_errors_name_the_model(llama: Path, other: Path) -> None:
    blank = Task("blank", (Item("a", "x", ("y", "")),), Kind.CHOICES)
    with pytest.raises(ModelError, match="no token to score") as caught:
        run([Subject("base", inspect(llama)), Subject("head", inspect(other))], [blank])
    assert caught.value.model == "base"


def test_two_models_are_paced(llama: Path, other: Path) -> None:
    subjects = [Subject("base", inspect(llama)), Subject("head", inspect(other))]
    found = run(subjects, [QUIZ], device="cpu", pace=Pace(rounds=10))
    assert found.pace is not None
    assert len(found.pace.prefill) == 10
