"""Suites that the command line names, or the policy of the folder it stands in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.errors import BotError, UsageError
from bot.localsuites import read_suites
from bot.policy import POLICY_PATH
from lab.protocol import Kind

LINE = '{"text": "a b c"}\n'
TASK = """
include: ../common.yaml
task: sums
doc_to_text: "{{q}}"
doc_to_target: "{{a}}"
"""
COMMON = """
dataset_path: json
dataset_kwargs: {data_files: {test: sums.data}}
test_split: test
output_type: generate_until
"""
CODED = TASK + "process_docs: !function helper.process\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "words.jsonl").write_text(LINE)
    (tmp_path / "common.yaml").write_text(COMMON)
    (tmp_path / "tasks" / "sums.yaml").write_text(TASK)
    (tmp_path / "tasks" / "coded.yaml").write_text(CODED)
    (tmp_path / "tasks" / "sums.data").write_text('{"q": "1+1=", "a": "2"}\n' * 2)
    (tmp_path / "tasks" / "helper.py").write_text("def process(docs): return docs")
    return tmp_path


def policy(folder: Path, **section: object) -> None:
    path = folder / POLICY_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"version": 1, "regression": section}))


def test_suites_of_the_policy_are_the_default(folder: Path) -> None:
    suites = [{"name": "mine", "path": "words.jsonl"}]
    policy(folder, suite=suites, tolerance=0.5)
    settings, [task] = read_suites((), trust=False)
    assert (settings.tolerance, task.name, len(task.items)) == (0.5, "mine", 1)
    settings, [task] = read_suites((Path("words.jsonl"),), trust=False)
    assert (settings.tolerance, task.name) == (0.5, "words")


def test_a_task_file_may_include_what_is_above_it_in_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jinja2", reason="needs the model extra")
    _, [task] = read_suites((Path("tasks/sums.yaml"),), trust=False)
    assert (task.name, task.kind, len(task.items)) == ("sums", Kind.GENERATE, 2)
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    monkeypatch.chdir(elsewhere)
    with pytest.raises(UsageError, match=r"sums\.yaml"):
        read_suites((folder / "tasks" / "sums.yaml",), trust=False)


def test_python_of_a_task_file_runs_only_where_it_is_trusted(folder: Path) -> None:
    pytest.importorskip("jinja2", reason="needs the model extra")
    with pytest.raises(UsageError, match=r"coded.yaml:6: process_docs: needs Python") as caught:
        read_suites((Path("tasks/coded.yaml"),), trust=False)
    assert "--trust-code" in caught.value.hint
    _, [task] = read_suites((Path("tasks/coded.yaml"),), trust=True)
    assert len(task.items) == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bad.jsonl", LINE + "{", "bad.jsonl:2: "),
        ("empty.jsonl", "", "empty.jsonl: no items"),
        ("bad.yaml", "task: [", "bad.yaml:"),
        ("bad.csv", "x", "bad.csv: no suite, by its name"),
    ],
)
def test_a_bad_suite_is_named_with_its_place(
    folder: Path, name: str, text: str, words: str
) -> None:
    (folder / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        read_suites((Path(name),), trust=False)
    assert words in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint


def test_what_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="no suite to measure on"):
        read_suites((), trust=False)
    with pytest.raises(OSError, match=r"none.jsonl"):
        read_suites((Path("none.jsonl"),), trust=False)
    same = (Path("words.jsonl"), folder / "words.jsonl")
    with pytest.raises(UsageError, match="two suites have the same name"):
        read_suites(same, trust=False)
    policy(folder, sweet=1)
    with pytest.raises(BotError, match="sweet"):
        read_suites(same[:1], trust=False)


def test_a_suite_beyond_its_bound_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.localsuites.SIZE_LIMIT", 9)
    with pytest.raises(UsageError, match=r"words.jsonl: more than 9 bytes"):
        read_suites((Path("words.jsonl"),), trust=False)
