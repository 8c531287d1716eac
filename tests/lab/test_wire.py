from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lab import wire
from lab.protocol import (
    Failure,
    Generation,
    Item,
    ItemScore,
    Kind,
    ModelScores,
    Pace,
    PaceScores,
    Request,
    Response,
    Task,
    TaskScores,
)
from lab.wire import (
    WireError,
    dump_request,
    dump_response,
    longest,
    read_request,
    read_response,
)

REQUEST = Request(
    (("base", "/a"), ("head", "/b")),
    (
        Task("t", (Item("1", "", ("é",), 0, "c"),), Kind.TEXT),
        Task("q", (Item("x", "p", ("a", "b"), 1),), Kind.CHOICES),
    ),
    "cpu",
    2,
)
SCORES = ModelScores(
    "base",
    "0" * 64,
    7,
    "LlamaForCausalLM",
    "cpu",
    "float32",
    (
        TaskScores("t", (ItemScore("1", 2.5, 3, 2, None, "c", False),)),
        TaskScores("q", (ItemScore("x", 0.0, 1, 1, True),), "prefix", 0.5),
    ),
)
RESPONSE = Response((SCORES, replace(SCORES, model="head")), None, (("torch", "2"),))


def test_round_trips() -> None:
    assert read_request(dump_request(REQUEST)) == REQUEST
    assert read_response(dump_response(RESPONSE), REQUEST) == RESPONSE
    failed = Response(failure=Failure("base", "it is broken"))
    assert read_response(dump_response(failed), REQUEST) == failed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"nll":2.5', b'"nll":NaN', "no model can have"),
        (b'"nll":2.5', b'"nll":1e999', "no model can have"),
        (b'"nll":2.5', b'"nll":-1.0', "no model can have"),
        (b'"nll":2.5', b'"nll":"2.5"', "not valid: scores.0.tasks.0.items.0.nll"),
        (b'"tokens":3', b'"tokens":0', "no model can have"),
        (b'"tokens":3', b'"tokens":true', "not valid"),
        (b'"bytes":2', b'"bytes":0', "no model can have"),
        (b'"id":"1"', b'"id":"2"', "items of the request"),
        (b'"cluster":"c"', b'"cluster":"d"', "items of the request"),
        (b'"correct":null', b'"correct":true', "items of the request"),
        (b'"correct":true', b'"correct":null', "items of the request"),
        (b'"gap":0.5', b'"gap":1e999', "a gap that is none"),
        (b'"gap":0.5', b'"gap":-0.5', "a gap that is none"),
        (b'"cpu":0.0', b'"cpu":1e300', "times that no run can take"),
        (b'"usage":{"cpu":0.0,"gpu":0.0,"clock":0.0,"tokens":0',
         b'"usage":{"cpu":0.0,"gpu":0.0,"clock":0.0,"tokens":1' + b"0" * 400,
         "times that no run can take"),
        (b'"cluster":"","lossless":true,"nats":[]',
         b'"cluster":"","lossless":true,"nats":[1.7e308,0]', "no model can have"),
        (b'"output":""', b'"output":"\\ud800"', "not valid"),
        (b'"level":"prefix"', b'"level":"magic"', "not valid"),
        (b'"task":"q"', b'"task":"r"', "tasks of the request"),
        (b'"model":"head"', b'"model":"base"', "models of the request"),
        (b'"failure":null', b'"failure":{"model":"base","reason":"a\\nb"}', "one short line"),
        (b'"failure":null', b'"failure":{"model":"base"}', "not valid"),
        (b'{"scores"', b'["scores"', "not valid"),
    ],
)  # fmt: skip
def test_answers_that_are_not_believed(old: bytes, new: bytes, words: str) -> None:
    data = dump_response(RESPONSE)
    assert old in data
    with pytest.raises(WireError, match=words):
        read_response(data.replace(old, new), REQUEST)


@pytest.mark.parametrize(
    "pace",
    [
        PaceScores(((1.0, 5e-324),) * 30, ()),
        PaceScores(((1.0, 1e308),) * 30, ()),
        PaceScores(((1.0, 1.0),) * 30, (), (1, 10**400)),
        PaceScores(((1.0, 1.0),) * 30, (), (10**400, 1)),
        PaceScores(((1.0, 1.0),) * 30, (), (1, -1)),
        PaceScores(((1.0, 1.0),) * 30, (), (1, 1), 10**400),
        PaceScores(((1.0, 1.0),) * 31, ()),
    ],
)
def test_times_that_are_not_believed(pace: PaceScores) -> None:
    request, response = replace(REQUEST, pace=Pace()), replace(RESPONSE, pace=pace)
    with pytest.raises(WireError, match="no run can take"):
        read_response(dump_response(response), request)


def test_no_more_text_than_tokens_hold_is_believed() -> None:
    """256 tokens of 256 characters for each item would take the parent's metrics minutes."""
    task = Task("g", (Item("1", "p", ("x",)),), Kind.GENERATE, generation=Generation(tokens=256))
    request = replace(REQUEST, tasks=(task,))

    def answer(output: str) -> bytes:
        item = ItemScore("1", 1.0, 1, 1, False, output=output, final="x")
        scores = replace(SCORES, tasks=(TaskScores("g", (item,)),))
        return dump_response(replace(RESPONSE, scores=(scores, replace(scores, model="head"))))

    most = longest(task.generation)
    assert most < 6_000
    read_response(answer("a" * most), request)
    with pytest.raises(WireError, match="no model can have"):
        read_response(answer("a" * (most + 1)), request)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "RESPONSE_LIMIT", 10)
    monkeypatch.setattr(wire, "REQUEST_LIMIT", 10)
    readers: tuple[Callable[[], object], ...] = (
        lambda: read_request(dump_request(REQUEST)),
        lambda: read_response(dump_response(RESPONSE), REQUEST),
    )
    for read in readers:
        with pytest.raises(WireError, match="bytes"):
            read()
    with pytest.raises(WireError, match="not valid"):
        read_request(b"{}")
