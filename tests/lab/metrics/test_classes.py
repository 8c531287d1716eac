"""Classes in numbers equal scikit-learn's."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import SuiteError
from lab.metrics.catalog import tallies
from lab.metrics.measure import summarise
from lab.metrics.scored import pair
from lab.protocol import Item, ItemScore, Kind, Metric, Task, TaskScores

NAMES = ("no", "yes", "perhaps", "never")
Pairs = list[tuple[int, int]]


def labelled(pairs: Pairs, classes: int, *metrics: str) -> tuple[Task, TaskScores]:
    """Items with these answers, and scores that make these predictions."""
    items = tuple(Item(str(n), "", NAMES[:classes], answer) for n, (answer, _) in enumerate(pairs))
    scores = tuple(
        ItemScore(str(n), 1.0, 1, 1, nats=tuple(float(c != choice) for c in range(classes)))
        for n, (_, choice) in enumerate(pairs)
    )
    task = Task("t", items, Kind.LABEL, metrics=tuple(map(Metric, metrics)))
    return task, TaskScores("t", scores)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[int, Pairs]:
    classes = draw(st.integers(2, 4))
    place = st.integers(0, classes - 1)
    return classes, draw(st.lists(st.tuples(place, place), min_size=1, max_size=40))


def sklearn(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sklearn.metrics
    return getattr(sklearn.metrics, name)


@settings(max_examples=60, deadline=None)
@given(outcomes())
def test_every_class_and_their_means(case: tuple[int, Pairs]) -> None:
    classes, pairs = case
    truth, predicted = (list(column) for column in zip(*pairs, strict=True))
    task, scores = labelled(pairs, classes)
    found = {tally.metric: tally for tally in tallies(pair(task, scores))}
    table = sklearn("precision_recall_fscore_support")(
        truth, predicted, labels=range(classes), zero_division=0
    )
    for place in set(truth) | set(predicted):
        for column, metric in zip(table, ("precision", "recall", "f1"), strict=False):
            tally = found[f"{metric}[{NAMES[place]}]"]
            assert tally.value == pytest.approx(column[place], abs=1e-9)
        assert found[f"recall[{NAMES[place]}]"].n == truth.count(place)
        assert found[f"precision[{NAMES[place]}]"].n == predicted.count(place)
    absent = set(range(classes)) - set(truth) - set(predicted)
    assert not {f"f1[{NAMES[place]}]" for place in absent} & found.keys()
    for metric in ("precision", "recall", "f1"):
        expected = sklearn(f"{metric}_score")(truth, predicted, average="macro", zero_division=0)
        assert found[f"macro_{metric}"].value == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(outcomes())
def test_of_two_classes_and_all(case: tuple[int, Pairs]) -> None:
    classes, pairs = case
    truth, predicted = (list(column) for column in zip(*pairs, strict=True))
    task, scores = labelled(pairs, classes, "mcc")
    [tally] = tallies(pair(task, scores))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one class alone
        expected = sklearn("matthews_corrcoef")(truth, predicted)
    assert tally.value == pytest.approx(expected, abs=1e-9)
    for metric in ("precision", "recall", "f1"):
        task, scores = labelled(pairs, classes, metric)
        if classes > 2:
            with pytest.raises(SuiteError, match="is for two classes") as caught:
                tallies(pair(task, scores))
            assert caught.value.hint == f"ask for macro_{metric}"
            continue
        [tally] = tallies(pair(task, scores))
        expected = sklearn(f"{metric}_score")(truth, predicted, zero_division=0)
        assert tally.value == pytest.approx(expected, abs=1e-9)


def test_intervals_hold_the_value_and_stay_shares() -> None:
    pairs = [(n % 3, (n * n + (n > 80)) % 3) for n in range(90)]
    for one in summarise(*labelled(pairs, 3)):
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
        if "[" in one.metric or one.metric.startswith("macro"):
            assert one.low >= 0
            assert one.high <= 1
            assert one.low < one.high


def test_nothing_predicted_nothing_known() -> None:
    task, scores = labelled([(1, 0), (0, 0), (1, 0)], 2)
    found = {one.metric: one for one in summarise(task, scores)}
    precision = found["precision[yes]"]
    assert (precision.value, precision.low, precision.high, precision.n) == (0, None, None, 0)
    assert found["recall[yes]"].high == pytest.approx(0.6576, abs=1e-4)  # Wilson, 0 of 2


def test_what_joins_a_choice_to_its_context_is_no_part_of_its_name() -> None:
    items = tuple(Item(str(n), "", (" no", " yes"), n) for n in range(2))
    scores = TaskScores("t", tuple(ItemScore(i.id, 1.0, 1, 1, True) for i in items))
    found = summarise(Task("t", items, Kind.CHOICES, delimiter=" "), scores)
    assert "f1[yes]" in {one.metric for one in found}


def test_different_choices_are_no_classes() -> None:
    items = (Item("1", "", ("a", "b")), Item("2", "", ("a", "c")))
    scores = TaskScores("t", tuple(ItemScore(i.id, 1.0, 1, 1, True) for i in items))
    names = {one.metric for one in summarise(Task("t", items, Kind.CHOICES), scores)}
    assert names == {"accuracy", "bits_per_byte"}
    many = tuple(f"c{n}" for n in range(65))
    for choices in (many, ("yes", "n" * 201)):
        same = tuple(Item(i.id, "", choices) for i in items)
        names = {one.metric for one in summarise(Task("t", same, Kind.CHOICES), scores)}
        assert names == {"accuracy", "bits_per_byte"}
    with pytest.raises(SuiteError, match="to be classes"):
        summarise(Task("t", items, Kind.CHOICES, metrics=(Metric("macro_f1"),)), scores)
