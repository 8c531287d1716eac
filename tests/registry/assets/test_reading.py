from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from registry.assets.reading import is_demo, kind_of, read
from registry.assets.values import Told

SHARED = Path(__file__).parents[4] / "shared/data/audit/provenance"


def uses(path: str, data: bytes | str) -> list[tuple[str, str, str, int]]:
    told = read(path, data if isinstance(data, bytes) else data.encode())
    assert TypeAdapter(Told).validate_json(TypeAdapter(Told).dump_json(told)) == told
    return [(u.tie, u.kind, u.name, u.line) for u in told.uses]


def card(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# Title"])


AXOLOTL = """\
base_model: NousResearch/Meta-Llama-3.1-8B
datasets:
  - path: tatsu-lab/alpaca
    type: alpaca
  - path: json
    data_files: x.jsonl
test_datasets:
  - path: org/held-out
learning_rate: 1e-4
output_dir: ./out
"""
TORCHTUNE = """\
model:
  _component_: torchtune.models.llama3_1.llama3_1_8b
dataset:
  _component_: torchtune.datasets.instruct_dataset
  source: tatsu-lab/alpaca
optimizer: {lr: 1}
"""
MERGE = """\
slices:
  - sources:
      - model: mistralai/Mistral-7B-v0.1
      - model: HuggingFaceH4/zephyr-7b-beta
merge_method: slerp
base_model: mistralai/Mistral-7B-v0.1
"""
TASK = """\
task: arc
dataset_path: allenai/ai2_arc
dataset_name: ARC-Easy
doc_to_text: q
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("README.md", card("base_model: org/m"), [("finetunes", "model", "org/m", 2)]),
        ("a/README.md", card("base_model: [org/m]"), [("finetunes", "model", "org/m", 2)]),
        (
            "MODEL_CARD.md",
            card("base_model:", "- org/m", "- org/n"),
            [("merges", "model", "org/m", 3), ("merges", "model", "org/n", 4)],
        ),
        (
            "README.md",
            card("base_model: org/m", "base_model_relation: quantized"),
            [("quantises", "model", "org/m", 2)],
        ),
        (
            "README.md",
            card("datasets:", "- squad", "- org/d"),
            [("trains_on", "data", "squad", 3), ("trains_on", "data", "org/d", 4)],
        ),
        (
            "data/README.md",
            card("task_categories: [qa]", "source_datasets:", "- original", "- extended|org/d"),
            [("vendors", "data", "org/d", 5)],
        ),
        (
            "README.md",
            card("base_model: https://huggingface.co/org/m"),
            [("finetunes", "model", "org/m", 2)],
        ),
        ("README.md", "\ufeff" + card("base_model: org/m"), [("finetunes", "model", "org/m", 2)]),
        (
            "README.md",
            card("base_model: org/m").replace("\n", "\r\n"),
            [("finetunes", "model", "org/m", 2)],
        ),
        (
            "cfg/a.yml",
            AXOLOTL,
            [
                ("finetunes", "model", "NousResearch/Meta-Llama-3.1-8B", 1),
                ("trains_on", "data", "tatsu-lab/alpaca", 3),
                ("evaluates_on", "data", "org/held-out", 8),
            ],
        ),
        ("tune.yaml", TORCHTUNE, [("trains_on", "data", "tatsu-lab/alpaca", 5)]),
        (
            "merge.yaml",
            MERGE,
            [
                ("merges", "model", "mistralai/Mistral-7B-v0.1", 3),
                ("merges", "model", "HuggingFaceH4/zephyr-7b-beta", 4),
                ("merges", "model", "mistralai/Mistral-7B-v0.1", 6),
            ],
        ),
        ("tasks/arc.yaml", TASK, [("evaluates_on", "data", "allenai/ai2_arc", 2)]),
        (
            "run.yaml",
            "model_args: pretrained=org/m,dtype=float16\nnum_fewshot: 5\n",
            [("evaluates_on", "model", "org/m", 1)],
        ),
        (
            "q.yaml",
            "model_path: org/m\nquant_config: {w_bit: 4}\ncalibration_dataset: org/c\n",
            [("quantises", "model", "org/m", 1), ("quantises", "data", "org/c", 3)],
        ),
        (
            "kd.json",
            '{"learning_rate": 1,\n "teacher_model": "org/big",\n "model_name_or_path": "org/s"}',
            [("distils_from", "model", "org/big", 2), ("finetunes", "model", "org/s", 3)],
        ),
        (
            "mix.yaml",
            "dataset_mixer:\n  org/a: 0.5\n  org/b: 0.5\nlearning_rate: 1\n",
            [("trains_on", "data", "org/a", 2), ("trains_on", "data", "org/b", 3)],
        ),
        (
            "m/adapter_config.json",
            '{"r": 8,\n "base_model_name_or_path": "org/m"}',
            [("finetunes", "model", "org/m", 2)],
        ),
        (
            "m/config.json",
            '{"eos": Infinity,\n "_name_or_path": "org/m",\n "quantization_config": {}}',
            [("quantises", "model", "org/m", 2)],
        ),
    ],
)
def test_cards_and_configurations(
    path: str, text: str, expected: list[tuple[str, str, str, int]]
) -> None:
    assert uses(path, text) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('AutoModel.from_pretrained("org/m")', ("embeds", "model", "org/m", 1)),
        ('AutoModel.from_pretrained("gpt2")', ("embeds", "model", "gpt2", 1)),
        ('X.from_pretrained(pretrained_model_name_or_path="o/m")', ("embeds", "model", "o/m", 1)),
        ('M = "org/m"\nX.from_pretrained(M)', ("embeds", "model", "org/m", 2)),
        ('def f(m="org/m"):\n  X.from_pretrained(m)', ("embeds", "model", "org/m", 2)),
        ('X.from_pretrained("org/m@main")', ("embeds", "model", "org/m", 1)),
        ('PeftModel.from_pretrained(m, "org/a")', ("embeds", "adapter", "org/a", 1)),
        ('load_dataset("org/d")', ("evaluates_on", "data", "org/d", 1)),
        ('datasets.load_dataset("squad", split="train")', ("evaluates_on", "data", "squad", 1)),
        ('load_dataset("org/d")\nTrainer()', ("trains_on", "data", "org/d", 1)),
        ('load_dataset("o/d", split="test[:9]")\nTrainer()', ("evaluates_on", "data", "o/d", 1)),
        ('X.from_pretrained("org/m")\nloss.backward()', ("finetunes", "model", "org/m", 1)),
        ('AutoTokenizer.from_pretrained("org/m")\nTrainer()', ("embeds", "model", "org/m", 1)),
        ('teacher = X.from_pretrained("org/m")', ("distils_from", "model", "org/m", 1)),
        ('GKDTrainer(teacher_model="org/m")', ("distils_from", "model", "org/m", 1)),
        ('Arguments(model_name_or_path="org/m")', ("embeds", "model", "org/m", 1)),
        ('def f(\n  model_name_or_path: str = "org/m"): 0', ("embeds", "model", "org/m", 2)),
        ('class A:\n  model_name_or_path: str = "org/m"\nTrainer()',
         ("finetunes", "model", "org/m", 2)),
        ('SFTTrainer(model="org/m")', ("finetunes", "model", "org/m", 1)),
        ('hf_hub_download(repo_id="org/m", filename="x")', ("embeds", "model", "org/m", 1)),
        ('snapshot_download("org/d", repo_type="dataset")', ("evaluates_on", "data", "org/d", 1)),
        ('pipeline("text-generation", model="org/m")', ("embeds", "model", "org/m", 1)),
        ('pipeline("text-generation", "org/m")', ("embeds", "model", "org/m", 1)),
        ('p.add_argument("--m-p", default="org/m")\nX.from_pretrained(a.m_p)',
         ("embeds", "model", "org/m", 2)),
        ('class A:\n  name: str = field(default="org/m")\nX.from_pretrained(a.name)',
         ("embeds", "model", "org/m", 3)),
    ],
)  # fmt: skip
def test_code(code: str, expected: tuple[str, str, str, int]) -> None:
    assert uses("run.py", code) == [expected]


@pytest.mark.parametrize(
    "code",
    [
        'load_dataset("json", data_files="x.jsonl")',
        'AutoModel.from_pretrained("./checkpoint")[0] if 0 else load_dataset("csv")',
        'X.from_pretrained("my-own-model")',
        'X.from_pretrained(f"{org}/{name}")',
        'X.from_pretrained("your-username/model")',
        'M = "org/a"\nM = "org/b"\nX.from_pretrained(M)',
        'for M in ["org/a"]:\n  X.from_pretrained(M)',
        '# AutoModel.from_pretrained("org/m")',
        '"""AutoModel.from_pretrained("org/m")"""',
        'print("load_dataset org/d")',
    ],
)
def test_what_names_nothing_of_the_hub(code: str) -> None:
    assert [u for u in read("run.py", code.encode()).uses if u.sure] == []


def test_what_code_computes_is_counted() -> None:
    assert read("a.py", b'X.from_pretrained(name)\nload_dataset("a/b")').computed == 1


def test_a_notebook_is_read_by_cells_with_lines_of_its_file() -> None:
    cells = [
        {"cell_type": "code", "source": ["!pip install x\n", "%time y\n", 'load_dataset("o/d")']},
        {"cell_type": "code", "source": "%%bash\nload_dataset('no/no')"},
        {"cell_type": "code", "source": "def broken(:"},
        {"cell_type": "markdown", "source": 'load_dataset("no/no")'},
        {"cell_type": "code", "source": 'X.from_pretrained("o/m")'},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4}, indent=1)
    found = uses("n.ipynb", text)
    assert [u[:3] for u in found] == [("evaluates_on", "data", "o/d"), ("embeds", "model", "o/m")]
    for use in found:
        assert use[2] in text.split("\n")[use[3] - 1]


def test_a_cards_licence_is_what_the_check_of_licences_reads() -> None:
    stated = read("README.md", card("license: other", "license_name: my-own").encode()).stated
    assert stated is not None and (stated.license, stated.line) == ("LicenseRef-my-own", 2)
    stated = read("README.md", card("license: other").encode()).stated
    assert stated is not None and stated.license == "" and "names no licence" in stated.reason


BOMB = "a: &a [*a]\nbase_model: org/m\n"
TRAINING = b"base_model: org/m\nlearning_rate: 1\n"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("README.md", b"---\nlicense: [mit\n---\n"),
        ("README.md", b"---\nlicense: mit\nlicense: gpl\n---\n"),
        ("README.md", b"---\n- a\n---\n"),
        ("README.md", b"---\nbase_model: \xff\xfe\n---\n"),
        ("README.md", b"---\na: \0\n---\n"),
        ("README.md", b"---\na: &a [*a]\n---\n"),
        ("README.md", b"---\n" + b"a: " + b"[" * 500 + b"\n---\n"),
        ("README.md", b"---\n" + b"x" * 300_000),
        ("adapter_config.json", b"{"),
        ("adapter_config.json", b""),
        ("config.json", b'{"model_type": ' + b"[" * 100_000),
        ("config.json", '{"_name_or_path": "o/m"}'.encode("utf-16")),
        ("dataset_info.json", b'{"a": {"hf_hub_url": '),
        ("train.yaml", BOMB.encode()),
        ("train.yaml", TRAINING + TRAINING),
        ("train.json", b'{"base_model": "org/m", '),
    ],
)
def test_what_must_be_readable_says_that_it_is_not(path: str, data: bytes) -> None:
    told = read(path, data)
    assert told.trouble and not told.uses and told.trouble.isprintable()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("README.md", b"# Only text\n\n---\nlicense: [\n"),
        ("README.md", b"---\nA rule, and text after it.\n"),
        ("README.md", b""),
        ("values.yaml", b"dataset: {{ .Values.x }}/y\n"),
        ("values.yaml", b"a: &a [*a]\npath: /models\n"),
        ("two.yaml", b"kind: A\npath: /models\n---\nkind: B\n"),
        ("big.json", b'{"text": "models/" '),
        ("web/config.json", b'{// comments\n"port": 80}'),
        ("web/config.json", b""),
        ("a.py", b"def f(:\n  load_dataset('o/d')"),
        ("a.py", b"load_dataset(" + b"(" * 5_000),
        ("a.py", b"x = load_dataset\n" + b"-" * 200_000 + b"1"),
        ("a.py", b"load_dataset('\0')"),
        ("a.py", b"load_dataset('o/d')\n" + b"#" * 1_100_000),
        ("n.ipynb", b"{"),
        ("n.ipynb", b"[]"),
    ],
)
def test_what_may_be_anything_is_passed_over(path: str, data: bytes) -> None:
    told = read(path, data)
    assert not told.trouble and not told.uses


@pytest.mark.parametrize(
    "data",
    [
        b"base_model" + b" " * 1_000_000 + b"/",
        b"model_args: pretrained=" + b"," * 500_000 + b"/",
        b"datasets: [" + b"a/b," * 20_000 + b"]",
        b'"' * 900_000 + b"base_model/",
        b"models/\n" + b"- " * 300_000,
    ],
)
@pytest.mark.parametrize("path", ["a.yaml", "a.json"])
def test_hostile_lines_cost_little(path: str, data: bytes) -> None:
    start = time.process_time()
    read(path, data)
    assert time.process_time() - start < 3


@given(
    st.sampled_from(
        [
            "README.md",
            "a.yaml",
            "a.py",
            "n.ipynb",
            "config.json",
            "a.json",
            "dataset_info.json",
            "adapter_config.json",
        ]
    ),
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda t: f"---\nbase_model: {t}\n---\n".encode()),
    ),
)
@settings(max_examples=150, deadline=None)  # fmt: skip
def test_nothing_a_file_holds_raises(path: str, data: bytes) -> None:
    told = read(path, data)
    assert told == read(path, data)
    assert all(0 < u.line <= data.count(b"\n") + data.count(b"\r") + 1 for u in told.uses)


@given(st.from_regex(r"[A-Za-z0-9]{1,9}/[A-Za-z0-9]{1,9}(\.[A-Za-z0-9]{1,3})?", fullmatch=True))
@settings(max_examples=50, deadline=None)
def test_a_name_is_the_same_wherever_it_stands(name: str) -> None:
    quoted = json.dumps(name)
    found = {
        u.name
        for path, text in (
            ("README.md", card(f"base_model: {quoted}")),
            ("a.yaml", f"base_model: {quoted}\nlearning_rate: 1\n"),
            ("adapter_config.json", f'{{"base_model_name_or_path": {quoted}}}'),
            ("a.py", f"X.from_pretrained({quoted})"),
        )
        for u in read(path, text.encode()).uses
    }
    assert found == {name} or found == set()  # a placeholder is none everywhere


def test_kinds_and_demonstrations() -> None:
    assert [kind_of(p) for p in ("README.md", "a/Config.json", "package.json", "x.txt")] == [
        "card", "config", "", "",
    ]  # fmt: skip
    assert [is_demo(p) for p in ("tests/a.py", "src/a.py", "a/docs/b.py", "test_x.py")] == [
        True, False, True, True,
    ]  # fmt: skip


def test_llama_factorys_own_table() -> None:
    path = SHARED / "llama-factory-dataset_info.json"
    if not path.exists():
        pytest.skip("shared/data/audit is not here")
    data = path.read_bytes()
    rows = json.loads(data)
    told = read("data/dataset_info.json", data)
    assert not told.trouble
    urls = [r.get("hf_hub_url") or r.get("ms_hub_url") for r in rows.values()]
    named = {url for url in urls if url}
    assert {u.name for u in told.uses if u.sure} == named
    lines = data.decode().split("\n")
    assert all(u.name in lines[u.line - 1] for u in told.uses)


def test_aliases_and_merges_name_assets_too() -> None:
    card = b"---\nx: &b org/base\nbase_model: *b\nlicense: mit\n---\n"
    assert [(u.name, u.tie) for u in read("README.md", card).uses] == [("org/base", "finetunes")]
    text = b"shared: &s\n  base_model: org/m\n  learning_rate: 1\nrun:\n  <<: *s\n"
    assert [u.name for u in read("train.yaml", text).uses] == ["org/m"]
