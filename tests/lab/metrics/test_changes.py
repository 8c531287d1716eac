from __future__ import annotations

import random
from dataclasses import replace

import pytest

from lab.errors import CompareError
from lab.metrics.changes import MetricChange, changes
from lab.metrics.measure import summarise
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores

N = 120
ITEMS = tuple(
    Item(str(n), "p", ("no", "yes"), n % 2, fields=(("lang", "fr" if n < 20 else "en"),))
    for n in range(N)
)
TASK = Task("t", ITEMS, Kind.CHOICES)


def scores(worse: float) -> TaskScores:
    """The same model, with so many nats more for every right answer."""
    rng, draw = random.Random(1), random.Random(2)
    found = []
    for item in ITEMS:
        nats = [rng.random() * 4, rng.random() * 4]
        nats[item.answer] += worse * (1 + draw.random())
        found.append(ItemScore(item.id, nats[item.answer], 2, 3, nats=tuple(nats)))
    return TaskScores("t", tuple(found))


def by_name(found: tuple[MetricChange, ...]) -> dict[tuple[str, str], MetricChange]:
    return {(one.slice, one.metric): one for one in found}


def test_every_metric_and_slice_of_both() -> None:
    base, head = scores(0.0), scores(0.4)
    found = by_name(changes(TASK, base, head))
    before = {(one.slice, one.metric): one for one in summarise(TASK, base)}
    after = {(one.slice, one.metric): one for one in summarise(TASK, head)}
    assert found.keys() == before.keys() == after.keys()
    for name, one in found.items():
        assert (one.base, one.head) == (before[name].value, after[name].value)
        assert one.difference == one.head - one.base
        assert (one.better == "higher") == before[name].higher_is_better
        if one.low is not None and one.high is not None:
            assert one.low <= one.difference <= one.high


def test_damage_shows_in_nats_before_it_shows_in_answers() -> None:
    found = by_name(changes(TASK, scores(0.0), scores(0.02)))
    bits, accuracy = found["", "bits_per_byte"], found["", "accuracy"]
    assert bits.low is not None
    assert bits.low > 0
    assert accuracy.low is None or accuracy.low <= 0 <= (accuracy.high or 0)
    assert (bits.better, accuracy.better) == ("lower", "higher")
    worse = by_name(changes(TASK, scores(0.0), scores(2.0)))
    for metric in ("accuracy", "macro_f1", "brier", "acc_norm", "recall[yes]"):
        one = worse["", metric]
        assert one.low is not None
        assert one.high is not None
        assert one.high < 0 if one.better == "higher" else one.low > 0


def test_small_slices_have_no_interval() -> None:
    found = by_name(changes(TASK, scores(0.0), scores(0.4)))
    assert found["lang=fr", "accuracy"].n == 20
    assert found["lang=fr", "bits_per_byte"].low is None
    assert found["lang=en", "bits_per_byte"].low is not None
    more = by_name(changes(TASK, scores(0.0), scores(0.4), least=10))
    assert more["lang=fr", "bits_per_byte"].low is not None


def test_the_items_that_both_have() -> None:
    base, head = scores(0.0), scores(0.4)
    some = changes(TASK, replace(base, items=base.items[:50]), head)
    assert some == changes(TASK, base, replace(head, items=head.items[:50]))
    assert by_name(some)["", "accuracy"].n == 50
    with pytest.raises(CompareError, match="not of this task's items"):
        changes(TASK, base, replace(head, items=head.items[::-1]))
    assert changes(TASK, base, TaskScores("t", ())) == ()


def test_written_answers_are_compared_on_the_same_draws() -> None:
    rng = random.Random(4)
    words = [f"w{n}" for n in range(30)]
    references = [" ".join(rng.choices(words, k=8)) for _ in range(80)]
    items = tuple(Item(str(n), "", (text,)) for n, text in enumerate(references))
    task = Task("g", items, Kind.GENERATE)

    def written(share: float, seed: int) -> TaskScores:
        draw = random.Random(seed)
        return TaskScores(
            "g",
            tuple(
                ItemScore(
                    item.id,
                    1.0,
                    2,
                    3,
                    False,
                    final=" ".join(
                        w if draw.random() < share else "x" for w in item.choices[0].split()
                    ),
                )
                for item in items
            ),
        )

    found = by_name(changes(task, written(0.9, 1), written(0.6, 2)))
    for metric in ("bleu", "chrf", "token_f1"):
        one = found["", metric]
        assert one.high is not None
        assert one.high < 0
        assert one.low is not None
        assert one.low < one.difference < one.high
    same = by_name(changes(task, written(0.9, 1), written(0.9, 1)))["", "bleu"]
    assert (same.difference, same.low, same.high) == (0, None, None)
