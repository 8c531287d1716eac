"""BLEU, chrF and TER equal sacrebleu's, options and several references included."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from lab.errors import SuiteError
from lab.metrics import translation
from lab.metrics.catalog import tallies
from lab.metrics.measure import summarise
from lab.metrics.scored import pair
from lab.protocol import Item, ItemScore, Kind, Metric, Task, TaskScores

WORDS = ("the", "cat", "Sat", "on", "a", "mat,", "dog", "ran.", "été", "42", "日本", "")


def written(count: int = 40) -> tuple[Task, TaskScores]:
    rng = random.Random(3)
    items, scores = [], []
    for number in range(count):
        references = tuple(phrase(rng) for _ in range(1 + number % 3))
        words = rng.choice(references).split()
        rng.shuffle(words)
        final = " ".join(words[: rng.randint(0, 12)])
        items.append(Item(str(number), "", references))
        scores.append(ItemScore(str(number), 1.0, 1, 1, False, final=final))
    return Task("t", tuple(items), Kind.GENERATE), TaskScores("t", tuple(scores))


def phrase(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))


@pytest.mark.parametrize(
    ("name", "options", "scorer"),
    [
        ("bleu", {}, BLEU()),
        ("bleu", {"tokenize": "zh", "lowercase": "true"}, BLEU(tokenize="zh", lowercase=True)),
        ("bleu", {"smooth_method": "add-k"}, BLEU(smooth_method="add-k")),
        (
            "bleu",
            {"max_ngram_order": "2", "effective_order": "True"},
            BLEU(max_ngram_order=2, effective_order=True),
        ),
        ("chrf", {}, CHRF()),
        ("chrf++", {}, CHRF(word_order=2)),
        ("chrf", {"char_order": "4", "beta": "3"}, CHRF(char_order=4, beta=3)),
        ("ter", {}, TER()),
        ("ter", {"normalized": "true", "no_punct": "true"}, TER(normalized=True, no_punct=True)),
    ],
)
def test_scores_and_signatures(name: str, options: dict[str, str], scorer: Any) -> None:
    task, scores = written()
    asked = Task("t", task.items, task.kind, metrics=(Metric(name, tuple(options.items())),))
    [found] = summarise(asked, scores)
    streams = [[i.choices[n] if n < len(i.choices) else None for i in task.items] for n in range(3)]
    expected = scorer.corpus_score([score.final for score in scores.items], streams)
    assert found.value == pytest.approx(expected.score, abs=1e-9)
    assert found.signature == str(scorer.get_signature())
    assert "version:" in found.signature
    assert found.higher_is_better == (name != "ter")
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("metric", "options", "message", "hint"),
    [
        ("bleu", {"tokenize": "flores200"}, "cannot be 'flores200'", "need a download"),
        ("bleu", {"tokenize": "ja-mecab"}, "cannot be 'ja-mecab'", "choose one of 13a, char"),
        ("bleu", {"max_ngram_order": "99"}, "cannot be '99'", "from 1 to 10"),
        ("chrf", {"lowercase": "perhaps"}, "cannot be 'perhaps'", "true or false"),
        ("ter", {"tokenize": "13a"}, "no option 'tokenize'", "known: asian_support"),
    ],
)
def test_what_is_refused(metric: str, options: dict[str, str], message: str, hint: str) -> None:
    task, scores = written(3)
    asked = Task("t", task.items, task.kind, metrics=(Metric(metric, tuple(options.items())),))
    with pytest.raises(SuiteError, match=message) as caught:
        tallies(pair(asked, scores))
    assert hint in caught.value.hint


def test_texts_too_long_for_ter_are_refused_before_the_wait() -> None:
    item = Item("1", "", ("word " * 2_000,))
    task = Task("t", (item,), Kind.GENERATE, metrics=(Metric("ter"),))
    scores = TaskScores("t", (ItemScore("1", 1.0, 1, 1, final="other " * 2_000),))
    assert translation.TER_LIMIT < 2_000**3
    with pytest.raises(SuiteError, match="too long for TER"):
        tallies(pair(task, scores))


def test_nothing_written_scores_nothing() -> None:
    task, scores = written(2)
    empty = TaskScores("t", tuple(ItemScore(s.id, 1.0, 1, 1, False) for s in scores.items))
    found = {one.metric: one.value for one in summarise(task, empty)}
    assert (found["exact_match"], found["bleu"], found["chrf"]) == (0, 0, 0)
