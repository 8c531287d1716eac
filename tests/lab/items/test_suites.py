from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import pytest

from lab.errors import SuiteError
from lab.items.suites import read_suite
from lab.protocol import Kind

pytest.importorskip("jinja2", reason="needs the model extra")
pytest.importorskip("sacrebleu", reason="needs the model extra")

TASK = """
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["."]}
"""
DATA = b'{"question": "1+1=", "answer": "2"}\n{"question": "1+2=", "answer": "3"}\n'


def opened(files: Mapping[str, str]) -> Callable[[str], bytes]:
    whole = {"tasks/sums.jsonl": DATA, **{path: text.encode() for path, text in files.items()}}

    def read(path: str) -> bytes:
        if path not in whole:
            raise FileNotFoundError(path)
        return whole[path]

    return read


def test_the_name_decides_what_reads_a_file() -> None:
    files = opened({"a.jsonl": '{"text": "x"}', "tasks/sums.yaml": TASK, "tasks/b.yml": TASK})
    [text] = read_suite("mine", "a.jsonl", files)
    assert (text.name, text.kind) == ("mine", Kind.TEXT)
    for path in ("tasks/sums.yaml", "tasks/b.yml"):
        [sums] = read_suite("mine", path, files)
        assert (sums.name, sums.kind, len(sums.items)) == ("mine", Kind.GENERATE, 2)
    with pytest.raises(SuiteError, match="no suite, by its name") as caught:
        read_suite("mine", "a.csv", files)
    assert caught.value.file == "a.csv"


def test_tasks_of_a_group_are_named_after_the_suite() -> None:
    members = TASK.replace("\n", "\n    ").strip()
    group = f"group: pair\ntask:\n  - {members}\n  - {members.replace('sums', 'more', 1)}\n"
    found = read_suite("mine", "tasks/pair.yaml", opened({"tasks/pair.yaml": group}))
    assert [task.name for task in found] == ["mine/pair::sums", "mine/pair::more"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("metric_list: [{metric: acc}]", "no metric 'acc'"),
        ("filter_list: [{name: x, filter: [{function: sort}]}]", "'sort'"),
        (
            "filter_list: [{name: x, filter: [{function: regex, regex_pattern: '('}]}]",
            "regex",
        ),
    ],
)
def test_what_could_not_be_computed_is_refused_before_a_model_is_loaded(
    more: str, words: str
) -> None:
    with pytest.raises(SuiteError) as caught:
        read_suite("mine", "tasks/sums.yaml", opened({"tasks/sums.yaml": TASK + more}))
    assert words in caught.value.message


def test_a_missing_library_is_named_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = '{"prompt": "1+1=", "references": ["2"]}'
    [task] = read_suite("mine", "a.jsonl", opened({"a.jsonl": line}))
    assert task.kind is Kind.GENERATE
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    with pytest.raises(SuiteError, match="not installed") as caught:
        read_suite("mine", "a.jsonl", opened({"a.jsonl": line}))
    assert caught.value.hint == "pip install 'modelwarden[model]'"
