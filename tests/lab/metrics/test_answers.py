from __future__ import annotations

import pytest

from lab.errors import SuiteError
from lab.metrics import ignoring
from lab.metrics.answers import exact_match, token_f1
from lab.metrics.scored import Scored, pair
from lab.protocol import Item, ItemScore, Kind, Metric, Task, TaskScores


def answer(final: str, *references: str) -> Scored:
    item = Item("1", "", references)
    scores = TaskScores("t", (ItemScore("1", 1.0, 1, 1, False, final=final),))
    return pair(Task("t", (item,), Kind.GENERATE), scores)


@pytest.mark.parametrize(
    ("final", "references", "f1"),
    [
        ("the cat", ("A cat!",), 1.0),
        ("black cat", ("the cat",), 2 / 3),
        ("cat cat", ("cat",), 2 / 3),
        ("dog", ("cat", "big dog"), 2 / 3),
        ("dog", ("cat",), 0.0),
        ("", ("cat",), 0.0),
        ("the", ("a",), 1.0),  # both empty without articles
    ],
)
def test_words_in_common(final: str, references: tuple[str, ...], f1: float) -> None:
    assert token_f1(answer(final, *references)).value == pytest.approx(f1)


@pytest.mark.parametrize(
    ("final", "options", "matched"),
    [
        ("Paris", {}, True),
        ("paris", {}, False),
        ("paris", {"ignore_case": "true"}, True),
        ("Paris.", {"ignore_punctuation": "true"}, True),
        ("Paris1", {"ignore_numbers": "True"}, True),
        ("Paris!", {"regexes_to_ignore": '["x", "!"]'}, True),
        ("Paris?", {"regexes_to_ignore": '["!"]'}, False),
        ("so #### Paris.", {"regexes_to_ignore": '["(?s).*#### ", "[.]$"]'}, True),
        ("so #### Pari.", {"regexes_to_ignore": '["(?s).*#### ", "[.]$"]'}, False),
    ],
)
def test_what_is_ignored(final: str, options: dict[str, str], matched: bool) -> None:
    metric = Metric("exact_match", tuple(options.items()))
    assert exact_match(answer(final, "Rome", "Paris"), metric).value == matched


def test_an_expression_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignoring, "SECONDS", 0.3)
    hostile = answer("a" * 40 + "!", "Paris")
    metric = Metric("exact_match", (("regexes_to_ignore", '["(a+)+$"]'),))
    with pytest.raises(SuiteError, match="take too long on what the model wrote"):
        exact_match(hostile, metric)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("regexes_to_ignore", '["("]', "holds one that is none"),
        ("regexes_to_ignore", "x", "cannot be 'x'"),
        ("regexes_to_ignore", "[1]", "cannot be"),
        ("ignore_case", "1", "cannot be '1'"),
        ("ignore_everything", "true", "no option"),
    ],
)
def test_bad_options(name: str, value: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        exact_match(answer("x", "y"), Metric("exact_match", ((name, value),)))
