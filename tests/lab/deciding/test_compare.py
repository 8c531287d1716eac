from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lab.deciding.compare import compare, most_changed
from lab.errors import CompareError
from lab.protocol import Item, ItemScore, Kind, Task, TaskScores
from tests.lab.sides import choices, pair, task_of, texts


def test_texts_of_one_size_are_paired() -> None:
    base, head = pair(0.3)
    found = compare(base, head)
    unit = 40 * math.log(2)
    left = np.array([i.nll / unit for i in base.items])
    right = np.array([i.nll / unit for i in head.items])
    assert (found.base, found.head) == pytest.approx((np.mean(left), np.mean(right)))
    assert found.difference == pytest.approx(np.mean(right) - np.mean(left))
    gaps = right - left
    assert found.mean is not None
    assert found.mean.error == pytest.approx(stats.sem(gaps))
    assert found.effect == pytest.approx(gaps.mean() / gaps.std(ddof=1))
    assert (found.n, found.clusters, found.lossy, found.accuracy) == (60, 60, 0, None)


def test_choices_have_accuracy_beside() -> None:
    found = compare(choices([1, 2, 3, 4.5], "+++-"), choices([1.5, 2, 3.25, 6], "+--+"))
    bits = 4 * math.log(2)  # every answer has four bytes
    assert (found.base, found.head) == pytest.approx((2.625 / bits, 3.1875 / bits))
    assert found.accuracy is not None
    assert (found.accuracy.base, found.accuracy.head) == (0.75, 0.5)
    assert (found.accuracy.lost, found.accuracy.gained) == (2, 1)


def test_long_texts_weigh_more() -> None:
    found = compare(texts([10, 300], (10, 300)), texts([20, 300], (10, 300)))
    assert found.difference == pytest.approx(10 / 310 / math.log(2))


def test_different_bytes_on_both_sides() -> None:
    base = texts([10.0, 20.0, 31.0], (10, 20, 30))
    head = texts([9.0, 19.0, 30.0], (9, 19, 29))  # its first token is read only
    found = compare(base, head)
    assert found.difference == pytest.approx((58 / 57 - 61 / 60) / math.log(2))
    assert found.mean is not None
    assert found.mean.error < 0.01


def test_no_text_is_let_off() -> None:
    """A head without BOS and EOS leaves the first token unscored: easier, and not comparable."""
    base, head = pair(0.0)
    first, *rest = head.items
    skipped = replace(head, items=(replace(first, bytes=first.bytes - 1), *rest))
    assert compare(base, skipped).lossy == 1
    assert compare(skipped, base).lossy == 0  # head is scored on more


def test_text_that_base_loses_too_must_be_lost_alike() -> None:
    """Or a tokenizer of one token for everything would look like a gain."""
    base, head = (replace(s, items=tuple(replace(i, lossless=False) for i in s.items))
                  for s in pair(0.0))  # fmt: skip
    assert compare(base, head).lossy == 0
    first, *rest = head.items
    other = replace(head, items=(replace(first, tokens=first.tokens + 1), *rest))
    assert compare(base, other).lossy == 1
    whole = replace(head, items=(replace(first, tokens=9, lossless=True), *rest))
    assert compare(base, whole).lossy == 0


def test_same_scores() -> None:
    base, head = pair(0.0)
    found = compare(base, base)
    assert (found.difference, found.mean, found.identical, found.effect) == (0, None, True, 0)
    assert not compare(base, head).identical
    one = replace(base, items=(replace(base.items[0], final="other"), *base.items[1:]))
    assert not compare(base, one).identical


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (texts([10.0]), texts([90.0])),
        (texts([10.0]), texts([2.0])),
        (texts([10.0, 11.0, 12.0]), texts([10.1, 11.1, 12.1])),
        (texts([1.0, 2.0], (), ("a", "a")), texts([5.0, 9.0], (), ("a", "a"))),
    ],
    ids=["one worse", "one better", "all alike", "one cluster"],
)
def test_without_variance_no_error_is_known(base: TaskScores, head: TaskScores) -> None:
    assert compare(base, head).mean is None


def test_ten_items_that_changed_most() -> None:
    base = texts([10.0] * 30)
    head = texts([10.0 + (n % 7) - 3 for n in range(30)])
    changed = most_changed(task_of(base), base, head)
    assert [c.id for c in changed] == ["0", "13", "14", "20", "21", "27", "28", "6", "7", "1"]
    assert (changed[0].base, changed[0].head, changed[0].base_output) == (10.0, 7.0, "")


def scored(nll: float, **values: object) -> TaskScores:
    item = ItemScore("1", nll, 2, 4, correct=True)
    return TaskScores("quiz", (replace(item, **values),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "base", "head", "outputs"),
    [
        (Kind.CHOICES, {"nats": (1.0, 2.0)}, {"nats": (3.0, 2.0)}, ("red", "blue")),
        (Kind.LABEL, {"nats": (2.0, 1.0)}, {"nats": (2.0, 0.5)}, ("blue", "blue")),
        (Kind.GENERATE, {"output": "x 7", "final": "7"}, {"output": "8"}, ("7", "8")),
        (Kind.GENERATE, {"final": "y" * 200}, {"final": "z" * 201}, ("y" * 200, "z" * 199 + "…")),
        (Kind.TARGET, {}, {}, ("", "")),
    ],
)
def test_what_both_answered(
    kind: Kind, base: dict[str, object], head: dict[str, object], outputs: tuple[str, str]
) -> None:
    task = Task("quiz", (Item("1", "", ("red", "blue")),), kind)
    [change] = most_changed(task, scored(1.0, **base), scored(2.0, **head))
    assert (change.base_output, change.head_output) == outputs


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (texts([]), texts([]), "no items"),
        (texts([1.0, 2.0]), texts([1.0]), "2 items scored for base, 1 for head"),
        (texts([1.0]), replace(texts([1.0]), task="other"), "share no items"),
        (texts([1.0]), texts([math.nan]), "no number"),
        (texts([math.inf]), texts([1.0]), "no number"),
        (texts([-1.0]), texts([1.0]), "no number"),
        (texts([1.0]), texts([1.0], (0,)), "no number"),
        (texts([1.0], (), ("a",)), texts([1.0], (), ("b",)), "not in both"),
        (texts([1.0]), replace(choices([1.0], "+"), task="wiki"), "texts and choices"),
    ],
)
def test_scores_that_do_not_compare(base: TaskScores, head: TaskScores, words: str) -> None:
    with pytest.raises(CompareError, match=words):
        compare(base, head)
