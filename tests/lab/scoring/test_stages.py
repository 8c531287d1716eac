"""Scores taken in stages are those of one call, and what a stage has read stays read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Item, ItemScore, Kind, Task
from lab.scoring import level, proof
from lab.scoring.plain import Progress, score_plain
from lab.scoring.rows import Row, RowScore, rows_of
from lab.scoring.score import Scorer, score, scorer
from lab.scoring.tree import families
from tests.lab.models import TEXT, make_model
from tests.lab.scoring.test_level import ALONE, HEADER, LETTERS, SHOTS
from tests.lab.scoring.test_score import TEXTS

TARGETS = Task(
    "targets",
    tuple(
        Item(str(n), HEADER + TEXT[n % 4][: 12 + 2 * n], (TEXT[n % 4][12 + 2 * n :][: 1 + n % 9],))
        for n in range(20)
    ),
    Kind.TARGET,
)
TASKS = (SHOTS, LETTERS, ALONE, TEXTS, TARGETS)
SPLITS = ((1,) * 30, (5, 3, 30), (2, 0, 17, 1, 40), (19, 19), (1, 40))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = make_model(tmp_path_factory.mktemp("llama"), max_position_embeddings=256)
    return load(inspect(folder), "cpu")


def taken(found: Scorer, split: tuple[int, ...]) -> tuple[ItemScore, ...]:
    return tuple(item for count in split for item in found.take(count))


def close(left: tuple[ItemScore, ...], right: tuple[ItemScore, ...]) -> None:
    assert [(i.id, i.tokens, i.bytes, i.correct) for i in left] == [
        (i.id, i.tokens, i.bytes, i.correct) for i in right
    ]
    assert [i.nll for i in left] == pytest.approx([i.nll for i in right], abs=1e-4)
    for one, other in zip(left, right, strict=True):
        assert one.nats == pytest.approx(other.nats, abs=1e-4)


@pytest.mark.parametrize("split", SPLITS, ids=str)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_any_split_gives_the_scores_of_one_call(
    model: Model, task: Task, split: tuple[int, ...]
) -> None:
    found, whole = scorer(model, task), score(model, task)
    close(taken(found, split), whole.items)
    assert found.take(5) == ()
    assert found.level == whole.level


def test_header_and_proof_are_of_the_first_stage(model: Model) -> None:
    task = Task("back", SHOTS.items[::-1], Kind.CHOICES)  # the longest first
    found = scorer(model, task)
    found.take(10)
    first = found.read
    found.take(10)
    alone = families(rows_of(task, model.tokens, model.window).rows)
    sizes = {family.rows[0]: family.size for family in alone}
    # Nothing of the first ten again, neither header nor proof; items share some tokens more.
    assert found.read - first <= sum(size for row, size in sizes.items() if row >= 50)
    assert len(alone[0].header) > 60


def test_proof_goes_on_until_it_has_its_rows(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    proven: list[int] = []

    def count(
        model: Model, rows: Sequence[Row], batch_tokens: int, progress: Progress | None
    ) -> list[RowScore]:
        proven.append(len(rows))
        return score_plain(model, rows, batch_tokens, progress)

    monkeypatch.setattr(level, "score_plain", count)
    fresh = model.unproven()
    found = scorer(fresh, LETTERS)
    taken(found, (1, 1, 1, 1))
    assert sum(proven) >= proof.PROOF
    assert found.level == "prefix"
    proven.clear()
    longest = taken(scorer(fresh, LETTERS), (30,))  # by stages it was proven as far
    assert not any(proven)
    assert len(longest) == len(LETTERS.items)


def test_what_is_longer_than_the_proof_is_proven_too(tmp_path: Path) -> None:
    """A sliding window shows only in rows that are longer than it."""
    folder = make_model(
        tmp_path, "mistral", num_key_value_heads=2, sliding_window=48, max_position_embeddings=256
    )
    slides = load(inspect(folder), "cpu")
    short = tuple(Item(f"s{n}", TEXT[n % 4][: 9 + n], (" a", " boat")) for n in range(12))
    long = tuple(Item(f"l{n}", HEADER + TEXT[n % 4][:n], (" a", " boat")) for n in range(9))
    task = Task("mixed", short + long, Kind.CHOICES)
    found = scorer(slides, task)
    first, before = found.take(len(short)), found.level
    second, after = found.take(len(long)), found.level
    assert (before, after) == ("prefix", "plain")
    alone = [score(slides, Task("one", (i,), Kind.CHOICES), batch_tokens=1) for i in task.items]
    close(first + second, tuple(item for one in alone for item in one.items))


def test_target_is_right_where_greedy_choice_gives_it(model: Model) -> None:
    import torch

    tokenizer = model.tokens.tokenizer
    items = []
    for number in range(12):
        context = tokenizer.encode(HEADER + TEXT[number % 4][: 10 + number]).ids
        ids = list(context)
        for _ in range(1 + number % 3):
            with torch.inference_mode():
                ids.append(int(model.module(torch.tensor([ids])).logits[0, -1].argmax()))
        text, whole = tokenizer.decode(context), tokenizer.decode(ids)
        if tokenizer.encode(whole).ids == ids:  # what it writes reads as the same tokens
            items.append(Item(f"greedy {number}", text, (whole[len(text) :],)))
    assert len(items) >= 4
    task = Task("greedy", (*items, *TARGETS.items), Kind.TARGET)
    for batch_tokens in (0, 1):
        for found in score(model, task, batch_tokens=batch_tokens).items:
            assert found.correct == found.id.startswith("greedy")


@pytest.mark.parametrize("tolerance", [level.TOLERANCE, -1.0], ids=["prefix", "plain"])
def test_targets_equal_the_naive_way(
    model: Model, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(level, "TOLERANCE", tolerance)
    found = score(model.unproven(), TARGETS)
    assert found.level == ("prefix" if tolerance > 0 else "plain")
    encode = model.tokens.tokenizer.encode
    for item, scored in zip(TARGETS.items, found.items, strict=True):
        ids, context = encode(item.context + item.choices[0]).ids, encode(item.context).ids
        start = next((n for n, (a, b) in enumerate(zip(ids, context, strict=False)) if a != b),
                     len(context))  # fmt: skip
        with torch.inference_mode():
            table = model.module(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        nats = [-float(table[n - 1, ids[n]]) for n in range(start, len(ids))]
        assert scored.nll == pytest.approx(sum(nats), abs=1e-4)
        assert scored.tokens == len(nats)
        assert scored.bytes == len(item.choices[0].encode())
        assert scored.correct == all(
            int(table[n - 1].argmax()) == ids[n] for n in range(start, len(ids))
        )
