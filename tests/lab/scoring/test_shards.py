from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import load
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores, Usage
from lab.scoring.shards import join, replicas, score_sharded, shards
from tests.lab.models import TEXT


def task(clusters: list[str], size: int = 1) -> Task:
    items = (Item(str(n), "", ("x" * size,), cluster=c) for n, c in enumerate(clusters))
    return Task("t", tuple(items), Kind.TEXT)


def lengths(cut: tuple[Task, ...]) -> list[int]:
    return [len(shard.items) for shard in cut]


def test_shards_in_numbers() -> None:
    assert lengths(shards(task([""] * 130))) == [64, 64, 2]
    assert lengths(shards(task([""] * 5), items=2)) == [2, 2, 1]
    assert lengths(shards(task(["", "a", "a", "a", "", "b", "b"]), items=2)) == [1, 3, 1, 2]
    assert lengths(shards(task([""] * 5, size=40), characters=100)) == [2, 2, 1]
    assert lengths(shards(task([""], size=400), characters=100)) == [1]
    assert lengths(shards(task([]))) == [0]


@given(st.lists(st.sampled_from(["", "a", "b"]), max_size=60), st.integers(1, 9))
def test_shards_lose_nothing_and_cut_no_cluster(clusters: list[str], size: int) -> None:
    whole = task(clusters)
    cut = shards(whole, items=size)
    assert tuple(item for shard in cut for item in shard.items) == whole.items
    for left, right in pairwise(cut):
        last, first = left.items[-1].cluster, right.items[0].cluster
        assert not last or last != first
    for shard in cut:
        names = {item.cluster for item in shard.items}
        assert len(shard.items) <= size or (len(names) == 1 and names != {""})


def test_joined_scores_tell_the_most_of_their_parts() -> None:
    parts = [
        TaskScores("t", (ItemScore("a", 1.0, 1, 1),), "prefix", 2e-6, Usage(cpu=1, peak=9)),
        TaskScores("t", (ItemScore("b", 2.0, 1, 1),), "plain", None, Usage(cpu=2, peak=5)),
    ]
    joined = join(parts)
    assert [item.id for item in joined.items] == ["a", "b"]
    assert (joined.level, joined.gap) == ("prefix", 2e-6)
    assert (joined.usage.cpu, joined.usage.peak) == (3, 9)


ITEMS = tuple(
    Item(str(n), TEXT[n % 4][: 8 + n % 9], (TEXT[n % 3][:12], TEXT[(n + 1) % 4][:9]), n % 2)
    for n in range(150)
)
QUESTIONS = Task("q", ITEMS, Kind.CHOICES)


def test_replicas_change_no_bit(llama: Path) -> None:
    files = inspect(llama)
    models = [*replicas(files, "cpu"), load(files, "cpu")]
    told: list[tuple[int, int]] = []
    one = score_sharded(models[:1], QUESTIONS)
    two = score_sharded(models, QUESTIONS, progress=lambda done, all_: told.append((done, all_)))
    assert replace(one, usage=Usage()) == replace(two, usage=Usage())
    assert [item.id for item in two.items] == [item.id for item in QUESTIONS.items]
    assert len(told) == 3
    assert told[-1] == (150, 150)
    assert two.usage.cpu > 0
    assert two.usage.tokens == one.usage.tokens > len(ITEMS)


def test_what_fails_in_a_shard_fails_the_task(llama: Path) -> None:
    models = [load(inspect(llama), "cpu")] * 2
    long = replace(QUESTIONS.items[140], context=TEXT[0] * 9)
    items = (*QUESTIONS.items[:140], long, *QUESTIONS.items[141:])
    with pytest.raises(ModelError, match="item '140' has"):
        score_sharded(models, replace(QUESTIONS, items=items))
