from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import SuiteError
from lab.items import suite
from lab.items.suite import read_task
from lab.protocol import Generation, Item, Kind, Task

TEXT = b'{"text": "one"}\n{"text": "two", "id": "b", "cluster": "doc"}\n'
CHOICES = b'{"prompt": "2+2=", "choices": [" 4", " 5"], "answer": 0}\n\r\n'


def test_texts() -> None:
    items = (Item("1", "", ("one",)), Item("b", "", ("two",), 0, "doc"))
    digest = hashlib.sha256(TEXT).hexdigest()
    assert read_task("wiki", TEXT) == Task("wiki", items, Kind.TEXT, digest=digest)


def test_other_kinds() -> None:
    target = read_task("t", b'{"prompt": "2+2=", "target": " 4", "fields": {"hard": true, "n": 2}}')
    fields = (("hard", "true"), ("n", "2"))
    assert (target.kind, target.items[0].fields) == (Kind.TARGET, fields)
    labels = read_task("l", b'{"text": "a", "label": "x"}\n{"text": "b", "label": "w"}')
    assert labels.kind is Kind.LABEL
    assert labels.items[0] == Item("1", "a", ("w", "x"), 1)
    written = read_task("g", b'{"prompt": "a", "references": ["b"], "stop": [], "max_tokens": 4}')
    assert (written.kind, written.generation) == (Kind.GENERATE, Generation((), 4))


def test_choices_and_blank_lines() -> None:
    assert read_task("sums", CHOICES).items == (Item("1", "2+2=", (" 4", " 5"), 0),)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"[1]", "not a JSON object"),
        (b"{", "Expecting property name"),
        (b'{"text": "a", "text": "b"}', "duplicate key"),
        (b'{"text": NaN}', "NaN"),
        (b'{"text": 3}', "'text' must be a string"),
        (b'{"text": ""}', "'text' is empty"),
        (b'{"text": "\\ud800"}', "surrogate"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'{"text": "a", "prompt": "b"}', "unknown key 'prompt'"),
        (b'{"text": "a", "id": 7}', "'id' must be a string"),
        (b'{"text": "a", "id": ""}', "'id' is empty"),
        (b'{"text": "x", "id": "1"}', "already on line 1"),
        (b'{"prompt": "a", "choices": ["b"], "answer": 0}', "2 to 64"),
        (b'{"prompt": "a", "choices": "bc", "answer": 0}', "2 to 64"),
        (b'{"prompt": "a", "choices": ["b", "b"], "answer": 0}', "the same"),
        (b'{"prompt": "a", "choices": ["b", 1], "answer": 0}', "must be a string"),
        (b'{"prompt": "a", "choices": ["b", "c"], "answer": 2}', "index from 0 to 1"),
        (b'{"prompt": "a", "choices": ["b", "c"], "answer": true}', "index from 0 to 1"),
        (b'{"prompt": "a", "choices": ["b", "c"], "answer": -1}', "index from 0 to 1"),
        (b'{"prompt": "a", "choices": ["b", "c"]}', "index from 0 to 1"),
        (b'{"choices": ["b", "c"], "answer": 0}', "'prompt' must be a string"),
        (b'{"prompt": "a", "choices": ["b", "c"], "answer": 0}', "text items and choices items"),
        (b'{"text": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested"),
    ],
)
def test_refusals_name_the_line(line: bytes, words: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read_task("bad", b'{"text": "fine"}\n' + line + b"\n")
    assert words in caught.value.message
    assert (caught.value.file, caught.value.line) == ("bad", 2)
    assert "\n" not in caught.value.message


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "ITEM_LIMIT", 1)
    with pytest.raises(SuiteError, match="more than 1 items"):
        read_task("long", TEXT)
    monkeypatch.setattr(suite, "TEXT_LIMIT", 2)
    with pytest.raises(SuiteError, match="3 characters, more than 2"):
        read_task("wide", TEXT)
    monkeypatch.setattr(suite, "SIZE_LIMIT", 10)
    with pytest.raises(SuiteError, match="more than 10"):
        read_task("big", TEXT)
    with pytest.raises(SuiteError, match="no items"):
        read_task("empty", b"\n \n")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_task_or_a_suite_error(data: bytes) -> None:
    try:
        task = read_task("any", data)
    except SuiteError as error:
        assert error.hint
    else:
        assert task.items


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_texts_come_back(texts: list[str]) -> None:
    data = "\n".join(json.dumps({"text": t}) for t in texts).encode()
    assert [item.choices[0] for item in read_task("t", data).items] == texts
