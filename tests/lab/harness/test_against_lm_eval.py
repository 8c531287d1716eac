"""The requests of task files equal those that lm-evaluation-harness builds from them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.harness import read
from lab.protocol import Item, Kind, Task

ORACLE = Path(__file__).with_name("oracle.py")
WORDS = ("red", "blue", "green", "white", "black", "brown")


def _documents(split: str, number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{split}-{n}",
            "question": f"What is {n} of {split}?",
            "options": [f"{word} {n % 3}" for word in WORDS[: 2 + n % 4]],
            "gold": n % 2,
            "answer": WORDS[n % 6],
            "score": n if n % 2 else n + 0.5,
            "easy": n % 3 == 0,
            "names": [WORDS[n % 6], WORDS[(n + 1) % 6]],
            "note": None if n % 2 else "a note",
            **({"extra": "now and then"} if n % 4 == 0 else {}),
        }
        for n in range(number)
    ]


JSONL = {split: _documents(split, n) for split, n in (("train", 12), ("dev", 6), ("test", 9))}
DATA = """
dataset_path: json
dataset_kwargs:
  data_files: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}
"""
ASK = DATA + 'test_split: test\ndoc_to_text: "Q: {{question}}\\nA:"\n'
CHOICE = ASK + "output_type: multiple_choice\ndoc_to_choice: options\ndoc_to_target: gold\n"
WRITE = ASK + "output_type: generate_until\ndoc_to_target: answer\n"
TABLE = """
dataset_path: csv
dataset_kwargs: {data_files: {test: table.csv, train: [table.csv, more.csv]}}
output_type: multiple_choice
test_split: test
"""
CSV = '''word,count,share,flag,gap,title
"a, b",1,0.5,True,,None
c,2,1e3,False,7,x
"d ""e""",-3,.25,TRUE,8,07
'''

# name -> (the task file, other files of its folder)
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "zero": (CHOICE, {}),
    "field": (CHOICE.replace('"Q: {{question}}\\nA:"', "question"), {}),
    "first": (
        CHOICE + "num_fewshot: 5\nfewshot_split: train\nfewshot_config: {sampler: first_n}\n",
        {},
    ),
    "random": (CHOICE + "num_fewshot: 5\nfewshot_split: train\n", {}),
    "same_split": (CHOICE + "num_fewshot: 3\nfewshot_split: test\n", {}),
    "same_split_first": (
        CHOICE + "num_fewshot: 3\nfewshot_config: {sampler: first_n, split: test}\n",
        {},
    ),
    "rule_training": (CHOICE + "num_fewshot: 2\ntraining_split: train\n", {}),
    "rule_validation": (CHOICE + "num_fewshot: 2\nvalidation_split: dev\n", {}),
    "rule_test": (CHOICE + "num_fewshot: 2\n", {}),
    "only_validation": (
        CHOICE.replace("test_split: test", "validation_split: dev") + "num_fewshot: 2\n",
        {},
    ),
    "whole_split": (CHOICE + "num_fewshot: 8\nfewshot_split: test\n", {}),
    "described": (CHOICE + "description: 'About {{id}}.\\n\\n'\nnum_fewshot: 1\n", {}),
    "described_by_field": (CHOICE + "description: answer\n", {}),
    "delimiters": (
        CHOICE + 'target_delimiter: " -> "\nfewshot_delimiter: "\\n##\\n"\nnum_fewshot: 2\n',
        {},
    ),
    "no_delimiter": (CHOICE + 'target_delimiter: ""\nnum_fewshot: 1\n', {}),
    "samples": (
        CHOICE
        + "num_fewshot: 2\nfewshot_config:\n  sampler: first_n\n  samples:\n"
        + "    - {question: one, options: [x, y], gold: 1}\n"
        + "    - {question: two, options: [x, y], gold: 0}\n",
        {},
    ),
    "shots_otherwise": (
        CHOICE
        + "num_fewshot: 2\nfewshot_split: train\nfewshot_config:\n"
        + '  doc_to_text: "{{question}} ({{id}})"\n  doc_to_target: answer\n'
        + '  target_delimiter: ": "\n  fewshot_delimiter: "; "\n',
        {},
    ),
    "literal_choices": (
        CHOICE.replace("doc_to_choice: options", 'doc_to_choice: ["no", "yes"]'),
        {},
    ),
    "named_choices": (
        CHOICE.replace("doc_to_choice: options", "doc_to_choice: {a: one, b: two}"),
        {},
    ),
    "templated_choices": (
        CHOICE.replace(
            "doc_to_choice: options", "doc_to_choice: \"{{[answer, 'not ' ~ answer]}}\""
        ).replace("doc_to_target: gold", 'doc_to_target: "{{gold}}"'),
        {},
    ),
    "string_target": (
        CHOICE.replace("doc_to_target: gold", 'doc_to_target: "{{options[gold]}}"')
        + "num_fewshot: 2\n",
        {},
    ),
    "true_target": (
        CHOICE.replace("doc_to_choice: options", "doc_to_choice: ['no', 'yes']").replace(
            "doc_to_target: gold", "doc_to_target: easy"
        )
        + "num_fewshot: 2\n",
        {},
    ),
    "constant_target": (CHOICE.replace("doc_to_target: gold", "doc_to_target: 1"), {}),
    "prefixed": (CHOICE + 'gen_prefix: "The answer is"\nnum_fewshot: 2\n', {}),
    "prefixed_by_field": (CHOICE + "gen_prefix: answer\nnum_fewshot: 1\n", {}),
    "loop": (
        CHOICE.replace(
            '"Q: {{question}}\\nA:"',
            '"{% for o in options %}{{loop.index}}. {{o}}{% if not loop.last %}, {% endif %}'
            "{% endfor %} {{score}} {{note}} {{extra}} {{easy|lower}} {{names|join('+')}}\\n\"",
        ),
        {},
    ),
    "target": (
        ASK + 'output_type: loglikelihood\ndoc_to_target: " {{answer}}"\nnum_fewshot: 3\n',
        {},
    ),
    "rolling": (
        DATA
        + 'test_split: test\noutput_type: loglikelihood_rolling\ndoc_to_text: ""\n'
        + 'doc_to_target: "{{question}}"\n',
        {},
    ),
    "write": (WRITE + "num_fewshot: 2\n", {}),
    "write_references": (
        WRITE.replace("doc_to_target: answer", "doc_to_target: names") + "num_fewshot: 1\n",
        {},
    ),
    "write_list_template": (
        WRITE.replace("doc_to_target: answer", "doc_to_target: \"{{[answer, 'x']}}\""),
        {},
    ),
    "write_until": (
        WRITE + 'generation_kwargs: {until: ["\\n", "Q:"], max_gen_toks: 32, do_sample: false}\n',
        {},
    ),
    "write_prefixed": (WRITE + 'gen_prefix: "It is "\nnum_fewshot: 2\n', {}),
    "write_number": (WRITE.replace("doc_to_target: answer", "doc_to_target: gold"), {}),
    "included": (
        "include: [middle.yaml, other.yaml]\nnum_fewshot: 1\n",
        {
            "middle.yaml": "include: base.yaml\nfewshot_split: train\ndoc_to_target: gold\n",
            "base.yaml": CHOICE + "num_fewshot: 4\nfewshot_split: dev\n",
            "other.yaml": 'target_delimiter: "="\n',
        },
    ),
    "table": (
        TABLE + 'doc_to_text: "{{word}} {{count}} {{share}} {{flag}} {{gap}} {{title}}"\n'
        "doc_to_choice: ['x', 'y']\ndoc_to_target: 1\nnum_fewshot: 1\nfewshot_split: train\n",
        {"table.csv": CSV, "more.csv": CSV.replace("c,2", "z,9")},
    ),
    "json_array": (
        CHOICE.replace("test.jsonl", "test.json"),
        {"test.json": json.dumps(JSONL["test"], indent=1)},
    ),
    "json_field": (
        CHOICE.replace("{train: train.jsonl, dev: dev.jsonl, test: test.jsonl}", "{test: x.json}")
        + "\n".join(("", "")),
        {"x.json": "\n".join(json.dumps(one) for one in JSONL["test"])},
    ),
    "duplicates": (
        CHOICE.replace("test.jsonl", "twice.jsonl") + "num_fewshot: 2\nfewshot_split: test\n",
        {"twice.jsonl": "\n".join(json.dumps(d) for d in (*JSONL["dev"], *JSONL["dev"]))},
    ),
}

CODE = """
def text(doc): return "Asked: " + doc["question"]
def keep(docs): return docs.filter(lambda d: d["gold"] == 1).map(lambda d: {"new": d["id"] * 2})
def shots(): return [{"question": "one", "options": ["x", "y"], "gold": 1}]
def choices(doc): return doc["options"][::-1]
"""
CASES |= {
    "code": (
        CHOICE.replace('"Q: {{question}}\\nA:"', "!function helper.text").replace(
            "doc_to_choice: options", "doc_to_choice: !function helper.choices"
        )
        + "num_fewshot: 1\nfewshot_split: train\n",
        {"helper.py": CODE},
    ),
    "code_documents": (
        CHOICE.replace("{{question}}", "{{new}}")
        + "process_docs: !function helper.keep\nnum_fewshot: 2\nfewshot_split: train\n",
        {"helper.py": CODE},
    ),
    "code_samples": (
        CHOICE + "num_fewshot: 1\nfewshot_config: {samples: !function helper.shots}\n",
        {"helper.py": CODE},
    ),
    "code_pattern": (
        CHOICE.replace("{{question}}", "{{question|regex_replace('[0-9]+', '<N>')}}"),
        {},
    ),
}
GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "group": (
        "num_fewshot: 1\nfewshot_split: train\ntask:\n  - one\n"
        "  - {task: two, num_fewshot: 2, target_delimiter: ': '}\n"
        "  - group: inner\n    num_fewshot: 3\n    task: [three]\n"
        "  - group: outer\n"
        "  - task: inline\n    dataset_path: json\n    output_type: loglikelihood\n"
        "    dataset_kwargs: {data_files: {train: train.jsonl, test: test.jsonl}}\n"
        "    test_split: test\n    doc_to_text: question\n    doc_to_target: answer\n",
        {
            **{f"{name}.yaml": f"task: {name}\n{CHOICE}" for name in ("one", "two", "three")},
            "outer.yaml": "group: outer\nnum_fewshot: 4\ndescription: Hm.\ntask: [four]\n",
            "four.yaml": f"task: four\n{CHOICE}",
        },
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tasks")
    for name, (text, more) in (CASES | GROUPS).items():
        home = root / name
        home.mkdir()
        kind = "group" if name in GROUPS else "task"
        (home / "task.yaml").write_text(f"{kind}: {name}\n{text}")
        for file, content in more.items():
            (home / file).write_text(content)
    for split, documents in JSONL.items():
        (root / f"{split}.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
    return root


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, list[dict[str, Any]]]:
    for home in folder.iterdir():  # the harness looks for data in the current folder only
        if home.is_dir():
            for file in home.glob("*.[cj]s*"):
                (folder / file.name).write_bytes(file.read_bytes())
    environment = os.environ | {
        "HF_HOME": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, ORACLE, folder], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[dict[str, Any]]] = json.loads((folder / "asked.json").read_text())
    return found


def _ours(task: Task, item: Item) -> list[list[Any]]:
    if task.kind is Kind.TEXT:
        return [[item.choices[0]]]
    if task.kind is Kind.GENERATE:
        return [[item.context]]
    return [[item.context, choice] for choice in item.choices]


@pytest.mark.parametrize("name", CASES | GROUPS)
def test_same_requests(name: str, folder: Path, asked: dict[str, list[dict[str, Any]]]) -> None:
    theirs = asked[name]
    assert "error" not in theirs[0], theirs[0]["error"]
    trust = name.startswith("code")
    tasks = read(f"{name}/task.yaml", lambda path: (folder / path).read_bytes(), trust=trust)
    assert {task.name for task in tasks} == {one["name"] for one in theirs}
    assert len(tasks) == len(theirs)
    for task in tasks:
        _compare(task, next(one for one in theirs if one["name"] == task.name))


def _compare(task: Task, theirs: dict[str, Any]) -> None:
    ours = [
        [number, request] for number, item in enumerate(task.items) for request in _ours(task, item)
    ]
    if task.kind is Kind.GENERATE:
        settings = [args.pop() for _, args in theirs["asked"]]
        assert list(task.generation.until) == settings[0]["until"]
        assert task.generation.tokens == settings[0].get("max_gen_toks", 256)
    assert ours == theirs["asked"]
    for item, gold in zip(task.items, theirs["golds"], strict=True):
        if task.kind is Kind.CHOICES:
            right = item.choices[item.answer].removeprefix(task.delimiter)
            assert (right if isinstance(gold, str) else item.answer) == gold
        else:
            assert list(item.choices) == (gold if isinstance(gold, list) else [str(gold)])
