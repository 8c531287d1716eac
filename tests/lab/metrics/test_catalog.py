"""Metrics equal those of lm-evaluation-harness on the same outputs."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.errors import SuiteError
from lab.metrics.catalog import check, tallies
from lab.metrics.measure import summarise
from lab.metrics.scored import pair
from lab.protocol import Item, ItemScore, Kind, Metric, Task, TaskScores

WORDS = ("the", "cat", "Sat", "on", "a", "mat,", "dog", "ran!", "été", "42", "7", "日本")


def made(kind: Kind, docs: list[dict[str, Any]], delimiter: str = "") -> tuple[Task, TaskScores]:
    items, scores = [], []
    for number, doc in enumerate(docs):
        choices = doc.get("choices") or doc.get("references") or [doc["text"]]
        nats = tuple(doc.get("nats", ()))
        answer = doc.get("answer", 0)
        nll = nats[answer] if nats else doc["nll"]
        size = len(choices[answer].encode())
        items.append(Item(str(number), "", tuple(delimiter + c for c in choices), answer))
        score = ItemScore(str(number), nll, 1, size, doc.get("greedy"), nats=nats)
        scores.append(ItemScore(**{**fields(score), "final": doc.get("final", "")}))
    return Task("t", tuple(items), kind, delimiter), TaskScores("t", tuple(scores))


def fields(score: ItemScore) -> dict[str, Any]:
    return {name: getattr(score, name) for name in score.__dataclass_fields__}


def phrase(rng: random.Random, low: int, high: int) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(low, high)))


def cases() -> list[dict[str, Any]]:
    rng = random.Random(7)
    found: list[dict[str, Any]] = []
    for classes in (2, 3, 4):
        names = ["no", "yes", "perhaps", "été"][:classes]
        # Few different values, so that many are ties.
        docs = [
            {
                "choices": names,
                "nats": [rng.choice((0.0, 1.5, 3.0, rng.random() * 9)) for _ in names],
                "answer": rng.randrange(classes),
            }
            for _ in range(120)
        ]
        found.append({"kind": "choices", "shared": True, "docs": docs})
    docs = []
    for _ in range(150):
        choices = [phrase(rng, 1, 5) for _ in range(rng.randint(2, 5))]
        # The same cost for each character: ties of acc_norm.
        per = rng.choice((0.25, 0.5))
        nats = [rng.choice((len(c) * per, rng.random() * 20)) for c in choices]
        docs.append({"choices": choices, "nats": nats, "answer": rng.randrange(len(choices))})
    found.append({"kind": "choices", "shared": False, "docs": docs})
    docs = [
        {"text": rng.choice(("", " ", "\n")) + phrase(rng, 1, 30), "nll": rng.random() * 40}
        for _ in range(60)
    ]
    found.append({"kind": "texts", "docs": docs})
    docs = [{"text": "x", "nll": rng.random() * 8, "greedy": rng.random() < 0.4} for _ in range(80)]
    found.append({"kind": "targets", "docs": docs})
    for options in (
        {},
        {"ignore_case": True, "ignore_punctuation": True, "ignore_numbers": True},
        {"regexes_to_ignore": ["[,!]", "t+"], "ignore_case": False},
    ):
        docs = []
        for _ in range(50):
            references = [phrase(rng, 1, 4) for _ in range(rng.randint(1, 3))]
            copied = rng.choice(references)
            final = rng.choice((copied, copied.upper(), copied + ",", phrase(rng, 1, 6), "dog 9"))
            docs.append({"references": references, "final": final, "nll": rng.random()})
        found.append({"kind": "generated", "docs": docs, "options": options})
    return found


@pytest.fixture(scope="module")
def oracle() -> list[tuple[dict[str, Any], dict[str, float]]]:
    """Return every case with what lm-evaluation-harness makes of it."""
    asked = cases()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("oracle.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return list(zip(asked, json.loads(done.stdout.splitlines()[-1]), strict=True))


def values(task: Task, scores: TaskScores, *metrics: Metric) -> dict[str, float]:
    asked = Task(task.name, task.items, task.kind, task.delimiter, metrics=metrics)
    return {tally.metric: tally.value for tally in tallies(pair(asked, scores))}


def close(found: dict[str, float], expected: dict[str, float]) -> None:
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_choices(oracle: list[tuple[dict[str, Any], dict[str, float]]]) -> None:
    count = 0
    for case, expected in oracle:
        if case["kind"] != "choices":
            continue
        names = [Metric(name) for name in expected]
        for delimiter in ("", " "):
            found = values(*made(Kind.CHOICES, case["docs"], delimiter), *names)
            expected = {**expected, "accuracy": expected.get("acc", expected.get("accuracy", 0))}
            expected.pop("acc", None)
            close(found, expected)
            count += 1
    assert count == 8


def test_texts_and_targets(oracle: list[tuple[dict[str, Any], dict[str, float]]]) -> None:
    [(case, expected)] = [one for one in oracle if one[0]["kind"] == "texts"]
    close(values(*made(Kind.TEXT, case["docs"])), expected)
    [(case, expected)] = [one for one in oracle if one[0]["kind"] == "targets"]
    expected["accuracy"] = expected.pop("acc")
    close(values(*made(Kind.TARGET, case["docs"])), expected)


def test_generated(oracle: list[tuple[dict[str, Any], dict[str, float]]]) -> None:
    found = [one for one in oracle if one[0]["kind"] == "generated"]
    assert len({expected["exact_match"] for _, expected in found}) == 3
    for case, expected in found:
        options = tuple(
            (name, json.dumps(value, ensure_ascii=False)) for name, value in case["options"].items()
        )
        matched = Metric("exact_match", options)
        close(
            values(*made(Kind.GENERATE, case["docs"]), matched),
            {"exact_match": expected.pop("exact_match")},
        )
        docs = [{**doc, "references": doc["references"][:1]} for doc in case["docs"]]
        names = map(Metric, ("bleu", "chrf", "chrf++", "ter"))
        close(values(*made(Kind.GENERATE, docs), *names), expected)


def test_what_a_task_asks_for_and_nothing_else() -> None:
    task, scores = made(Kind.TARGET, [{"text": "x", "nll": 1.0, "greedy": True}] * 3)
    assert values(task, scores, Metric("acc")) == {"accuracy": 1.0}
    with pytest.raises(SuiteError, match="'bleu' is no metric of target tasks") as caught:
        values(task, scores, Metric("bleu"))
    assert caught.value.hint == "known: accuracy, bits_per_byte, perplexity"
    with pytest.raises(SuiteError, match="'acc' has no option 'x'"):
        values(task, scores, Metric("acc", (("x", "y"),)))


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        (Kind.CHOICES, Metric("bleu")),
        (Kind.CHOICES, Metric("macro_f1")),  # the items' choices differ
        (Kind.GENERATE, Metric("bleu", (("tokenize", "spm"),))),
        (Kind.GENERATE, Metric("exact_match", (("regexes_to_ignore", '["("]'),))),
        (Kind.TEXT, Metric("bits_per_byte", (("base", "2"),))),
    ],
)
def test_what_cannot_be_computed_is_refused_before_anything_is_scored(
    kind: Kind, metric: Metric
) -> None:
    items = (Item("1", "", ("a", "b")), Item("2", "", ("a", "c")))
    with pytest.raises(SuiteError):
        check(Task("t", items, kind, metrics=(metric,)))


def test_what_can_be_computed_is_not_refused() -> None:
    items = (Item("1", "", ("a", "b")), Item("2", "", ("a", "b")))
    asked = {
        Kind.CHOICES: ("acc", "acc_norm", "brier_score", "ece", "macro_f1", "mcc", "f1"),
        Kind.GENERATE: ("exact_match", "bleu", "chrf++", "ter", "token_f1"),
        Kind.TEXT: ("word_perplexity", "bits_per_byte"),
        Kind.TARGET: ("acc", "perplexity"),
    }
    for kind, names in asked.items():
        check(Task("t", items, kind, metrics=tuple(map(Metric, names))))
        check(Task("t", items, kind))
        check(Task("t", (), kind, metrics=tuple(map(Metric, names))))


def test_no_likelihoods_no_metrics_of_them() -> None:
    items = tuple(Item(str(n), "", ("a", "b"), n % 2) for n in range(4))
    task = Task("t", items, Kind.LABEL)
    scores = TaskScores("t", tuple(ItemScore(i.id, 1.0, 1, 1, output="b") for i in items))
    found = {one.metric: one.value for one in summarise(task, scores)}
    assert found["accuracy"] == 0.5
    assert found["recall[b]"] == 1.0
    assert not {"brier", "ece"} & found.keys()
    with pytest.raises(SuiteError, match="brier needs the log-likelihoods"):
        values(task, scores, Metric("brier_score"))


def test_the_first_of_equally_likely_choices_is_taken() -> None:
    docs = [{"choices": ["x", "y"], "nats": [1.0, 1.0], "answer": n} for n in (0, 1)]
    assert values(*made(Kind.CHOICES, docs), Metric("acc")) == {"accuracy": 0.5}


def test_a_choice_without_characters_is_never_the_likeliest() -> None:
    docs = [{"choices": ["", "y"], "nats": [0.0, 5.0], "answer": 1}]
    assert values(*made(Kind.CHOICES, docs, " "), Metric("acc_norm")) == {"acc_norm": 1.0}
