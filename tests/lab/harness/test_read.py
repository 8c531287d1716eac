"""What is read of a task file, and what is refused with the reason and the remedy."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import SuiteError
from lab.harness import read
from lab.harness.output import _METRICS
from lab.harness.recipe import _KEYS
from lab.metrics.catalog import _ALIASES, _KNOWN
from lab.protocol import Filter, Kind, Metric, Task

DOCUMENTS = [
    {"id": n, "q": f"q{n}", "options": ["a", "b", "c"], "gold": n % 3, "lang": "fr", "doc": n // 2}
    for n in range(4)
]
ROWS = "\n".join(map(json.dumps, DOCUMENTS))
BASE = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: q
doc_to_choice: options
doc_to_target: gold
"""
WRITE = BASE.replace("multiple_choice", "generate_until").replace("doc_to_choice: options\n", "")


def files(more: Mapping[str, str | bytes]) -> Any:
    held = {"data.jsonl": ROWS, **more}

    def opened(path: str) -> bytes:
        if path not in held:
            raise FileNotFoundError(path)
        found = held[path]
        return found if isinstance(found, bytes) else found.encode()

    return opened


def task(text: str, more: Mapping[str, str | bytes] | None = None, **options: Any) -> Task:
    (found,) = read("t.yaml", files({"t.yaml": text, **(more or {})}), **options)
    return found


def refused(text: str | bytes, more: Mapping[str, str | bytes] | None = None) -> SuiteError:
    with pytest.raises(SuiteError) as caught:
        read("t.yaml", files({"t.yaml": text, **(more or {})}))
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_a_task() -> None:
    found = task(BASE)
    assert (found.name, found.kind, found.delimiter) == ("t", Kind.CHOICES, " ")
    assert found.items[2].choices == (" a", " b", " c")
    assert [item.answer for item in found.items] == [0, 1, 2, 0]
    assert [item.id for item in found.items] == ["0", "1", "2", "3"]
    assert len(task(BASE, limit=2).items) == 2


def test_slices_and_clusters_are_named() -> None:
    found = task(BASE + "metadata: {slices: [lang], cluster: doc}\n", fields=("gold",))
    assert found.items[3].fields == (("lang", "fr"), ("gold", "0"))
    assert [item.cluster for item in found.items] == ["0", "0", "1", "1"]
    assert task(BASE).items[0].fields == ()
    assert "has no field 'language'" in refused(BASE + "metadata: {slices: [language]}").message


def test_ids_that_do_not_tell_apart_are_numbers() -> None:
    rows = "\n".join(json.dumps(one | {"id": "x"}) for one in DOCUMENTS)
    assert [item.id for item in task(BASE, {"data.jsonl": rows}).items] == ["0", "1", "2", "3"]


def test_the_digest_follows_every_file() -> None:
    digest = task(BASE).digest
    assert digest == task(BASE).digest
    assert digest != task(BASE + "# more\n").digest
    assert digest != task(BASE, {"data.jsonl": ROWS + "\n"}).digest
    assert digest == task(BASE, {"other.jsonl": ""}).digest
    included = [task("include: b.yaml\n", {"b.yaml": BASE + end}).digest for end in ("", "#")]
    assert included[0] != included[1]


def test_metrics_filters_and_generation() -> None:
    found = task(
        WRITE
        + "generation_kwargs: {until: [x, ''], max_gen_toks: 9, temperature: 0, top_p: 1}\n"
        + "filter_list:\n  - name: one\n    filter:\n"
        + '    - {function: regex, regex_pattern: "(\\\\d)", group_select: -1}\n'
        + "    - {function: take_first}\n"
        + "metric_list:\n  - {metric: exact_match, aggregation: mean, ignore_case: true, "
        + 'regexes_to_ignore: [","], higher_is_better: true}\n  - metric: bleu\n'
    )
    made = found.generation
    assert (made.until, made.tokens) == (("x",), 9)
    assert made.filters == (
        Filter("regex", (("regex_pattern", "(\\d)"), ("group_select", "-1"))),
        Filter("take_first"),
    )
    options = (("ignore_case", "true"), ("regexes_to_ignore", '[","]'))
    assert found.metrics == (Metric("exact_match", options), Metric("bleu"))
    assert found.items[1].choices == ("1",)


def test_every_metric_is_one_that_is_computed() -> None:
    for name, (kinds, _) in _METRICS.items():
        assert all(_ALIASES.get(name, name) in _KNOWN[kind] for kind in kinds)


def test_every_pipeline_of_filters_is_a_task() -> None:
    text = (
        WRITE
        + "filter_list:\n"
        + "".join(
            f"  - {{name: {name}, filter: [{{function: {step}}}]}}\n"
            for name, step in (("plain", "take_first"), ("small", "lowercase"))
        )
    )
    found = read("t.yaml", files({"t.yaml": text}))
    assert [one.name for one in found] == ["t,plain", "t,small"]
    assert found[0].items == found[1].items


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("process_docs: !function u.f", "process_docs: needs Python (u.f)"),
        ("doc_to_text: !function u.f", "doc_to_text: needs Python (u.f)"),
        ("doc_to_choice: !function u.f", "doc_to_choice: needs Python (u.f)"),
        ("process_results: !function u.f", "process_results: the results are computed by Python"),
        ("metric_list: [{metric: !function u.f}]", "metric_list: the metric 'u.f' is Python"),
        ("metric_list: [{metric: rouge}]", "metric_list: no metric 'rouge' for this output_type"),
        ("metric_list: [{metric: perplexity}]", "metric_list: no metric 'perplexity'"),
        ("metric_list: [{metric: acc, aggregation: max}]", "acc is aggregated as mean"),
        ("metric_list: [acc]", "metric_list: is not a list of mappings"),
        ("custom_dataset: !function u.f", "custom_dataset: the data set is made by Python"),
        ("class: !function u.T", "class: the task is a Python class"),
        ("doc_to_image: picture", "doc_to_image: images are not measured"),
        ("unsafe_code: true", "unsafe_code: code that a model wrote is not run"),
        ("repeats: 5", "repeats: an answer is written once"),
        ("output_type: greedy", "output_type: 'greedy' is none of multiple_choice"),
        ("num_fewshot: -1", "num_fewshot: -1 is no number"),
        ("num_fewshot: 9", "document 0 of 'test': fewer than 9 examples"),
        ("fewshot_config: {sampler: mine}", "fewshot_config: no sampler 'mine'"),
        ("fewshot_config: {sampler: !function u.S}", "fewshot_config: no sampler 'u.S'"),
        ("fewshot_config: {smapler: first_n}", "fewshot_config: unknown key 'smapler'"),
        ("nmu_fewshot: 5", "nmu_fewshot: unknown key"),
        ("doc_to_text: gold", "document 0 of 'test': doc_to_text is an index"),
        ("doc_to_text: '{{missing}}'", "document 0 of 'test': template '{{missing}}'"),
        ("doc_to_text: '{{q'", "doc_to_text: TemplateSyntaxError"),
        ("doc_to_target: q", "document 0 of 'test': the target 'q0' is none of the 3 choices"),
        ("doc_to_target: 7", "document 0 of 'test': the target 7 is none of the 3 choices"),
        ("doc_to_target: options", "document 0 of 'test': several right answers"),
        ("doc_to_choice: q", "document 0 of 'test': the choices are not a list of strings"),
        ("doc_to_choice: '{{q}}'", "document 0 of 'test': 'q0' is not a Python literal"),
        ("doc_to_choice: ['', 'x']\ntarget_delimiter: ''", "a choice, target or reference is emp"),
        ("target_delimiter: 3", "target_delimiter: is not a string"),
        ("dataset_path: gsm8k", "dataset_path: 'gsm8k' is a data set of the hub"),
        ("dataset_kwargs: {data_files: {test: ../x}}", "dataset_kwargs: data file '../x'"),
        ("dataset_kwargs: {data_files: {test: /etc/passwd}}", "dataset_kwargs: data file '/etc"),
        ("dataset_kwargs: {data_files: {test: 'https://x/y'}}", "dataset_kwargs: data file"),
        ("dataset_kwargs: {data_files: {test: '*.jsonl'}}", "dataset_kwargs: data file"),
        ("dataset_kwargs: {split: test}", "dataset_kwargs: 'split' is not supported"),
        ("test_split: dev", "dataset_kwargs: no split 'dev' in test"),
        ("filter_list: [{name: x, filter: [{function: lowercase}]}]", "filters work on generated"),
        ("task: [a, b]", "task: is not the name of a task"),
    ],
)
def test_refusals_of_choices(more: str, message: str) -> None:
    keys = [line.partition(":")[0] for line in more.splitlines()]
    kept = [line for line in BASE.splitlines() if line.partition(":")[0] not in keys]
    error = refused("\n".join([*kept, more, ""]))
    assert message in error.message
    assert error.file == "t.yaml"
    assert error.line > 0 or error.message.startswith("document")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("generation_kwargs: {do_sample: true}", "generation_kwargs: samples"),
        ("generation_kwargs: {temperature: 0.7}", "generation_kwargs: samples"),
        ("generation_kwargs: {num_beams: 4}", "generation_kwargs: 'num_beams' is not supported"),
        ("generation_kwargs: {max_gen_toks: 0}", "0 is not a number of tokens"),
        ("generation_kwargs: {until: 7}", "generation_kwargs: until is not a list"),
        ("filter_list: [{name: x, filter: [{function: custom}]}]", "filter 'custom' is not"),
        ("filter_list: [{name: x, filter: [{function: !function u.F}]}]", "the filter 'u.F' is"),
        ("doc_to_target: [[]]", "the target is list, not a string"),
        ("metric_list: [{metric: exact_match, igorne_case: true}]", "has no option 'igorne_case'"),
        ("metric_list: [{metric: bleu, hf_evaluate: true}]", "bleu of `evaluate` is downloaded"),
    ],
)
def test_refusals_of_generation(more: str, message: str) -> None:
    kept = [line for line in WRITE.splitlines() if line.split(":")[0] != more.split(":")[0]]
    assert message in refused("\n".join([*kept, more, ""])).message


def test_includes_stay_in_the_root_and_end() -> None:
    for path in ("../../etc/passwd", "/etc/passwd", "a\\b", "x/../../y", 7, "~/x\0"):
        error = refused(f"include: {json.dumps(path)}\n{BASE}")
        assert "is not a path within the root" in error.message
        assert error.line == 1
    looped = {"a.yaml": "include: b.yaml\n", "b.yaml": "include: a.yaml\n"}
    assert "a.yaml -> b.yaml -> a.yaml" in refused("include: a.yaml\n", looped).message
    assert refused("include: gone.yaml\n").file == "gone.yaml"
    chain = {f"{n}.yaml": f"include: [{n + 1}.yaml, {n + 1}.yaml]\n" for n in range(40)}
    assert "includes" in refused("include: 0.yaml\n", chain).message
    shared = {f"{n}.yaml": f"include: [{n + 1}.yaml, {n + 1}.yaml]\n" for n in range(20)}
    assert task("include: 0.yaml\n", {**shared, "20.yaml": BASE}).name == "t"


LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LAUGHS, "more than 100,000 values"),
        ("a: &a [*a]", "an alias to nothing, or to what it is in"),
        ("a: " + "[" * 5_000, "nested deeper"),
        ("a: " + "{a: " * 5_000, "nested deeper"),
        ("a: " + "9" * 5_000, "a number of more than 40"),
        ("a: " + "1" + ":1" * 5_000, "a number of more than 40"),
        ("a: " + "1" + ":1" * 5_000 + ".5", "a number of more than 40"),
        (b"a: \xff\xfe", "not UTF-8"),
        ("a: !!python/object/apply:os.system [id]", "not YAML: could not determine"),
        ("a: !!python/name:os.system", "not YAML: could not determine"),
        ("- a\n- b", "not a mapping"),
        ("", "not a mapping"),
        ("1: a", "is not a name"),
        ("? [a]\n: b", "not YAML"),
        ("a: b: c", "not YAML"),
        ("a: *b", "an alias to nothing"),
        ("a: \0", "not YAML"),
        (b"a: " + b"x" * 2_000_001, "more than 2,000,000"),
        ("a: 2001-99-99", "not YAML"),
    ],
)
def test_hostile_yaml(data: str | bytes, message: str) -> None:
    before = time.process_time()
    assert message in refused(data).message
    assert time.process_time() - before < 2


def test_aliases_and_merges_are_read() -> None:
    text = BASE.replace("doc_to_text: q", "doc_to_text: &q q") + "description: *q\n"
    assert task(text).items[1].context == "q1q1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[1, 2]", "not a JSON object"),
        ('{"a": NaN}', "NaN"),
        ('{"a": ' + "[" * 100, "nested"),
        ('{"a": 1, "a": 2}', "duplicate"),
        ("{", "line 1"),
        ("", "no documents"),
        (b"\xff", "not UTF-8"),
        ('{"q": "\\ud800", "options": ["a"], "gold": 0}', "half a surrogate pair"),
        ('{"a": ' + "9" * 5_000 + "}", "data.jsonl"),
    ],
)
def test_hostile_data(data: str | bytes, message: str) -> None:
    error = refused(BASE, {"data.jsonl": data})
    assert message in f"{error.message} {error.file}"


def test_a_copy_stands_in_for_a_data_set_of_the_hub() -> None:
    text = BASE.replace("dataset_path: json", "dataset_path: who/what\ndataset_name: sub")
    text = text.replace("dataset_kwargs: {data_files: {test: data.jsonl}}\n", "")
    assert "who/what/sub/test.jsonl beside" in refused(text).hint
    assert len(task(text, {"who/what/sub/test.jsonl": ROWS}).items) == 4


def test_data_is_found_beside_the_file_or_at_the_root() -> None:
    inner = {"a/t.yaml": BASE, "a/data.jsonl": ROWS.splitlines()[0]}
    assert len(read("a/t.yaml", files(inner))[0].items) == 1
    assert len(read("a/t.yaml", files({"a/t.yaml": BASE}))[0].items) == 4


def test_reading_one_task_opens_nothing_else() -> None:
    seen: list[str] = []
    opened = files({"t.yaml": BASE, "other.yaml": BASE})

    def noted(path: str) -> bytes:
        seen.append(path)
        return bytes(opened(path))

    read("t.yaml", noted)
    assert set(seen) == {"t.yaml", "data.jsonl"}


def test_groups() -> None:
    group = (
        "group: g\nnum_fewshot: 1\ntask:\n  - one\n  - {task: two, num_fewshot: 2}\n"
        "  - group: inner\n    task: [one]\n  - {task: inline, dataset_path: json, "
        "dataset_kwargs: {data_files: {test: data.jsonl}}, test_split: test, "
        "output_type: loglikelihood, doc_to_text: q, doc_to_target: lang}\n"
    )
    held = {
        "t.yaml": group,
        "one.yaml": BASE.replace("task: t", "task: one"),
        "two.yml": BASE.replace("task: t", "task: two"),
    }
    found = read("t.yaml", files(held))
    assert [one.name for one in found] == ["one", "two", "one", "g::inline"]
    assert [one.items[0].context.count("q") for one in found] == [2, 3, 2, 2]
    del held["two.yml"]
    error = refused(group, {"one.yaml": held["one.yaml"]})
    assert error.message == "task: no task 'two' beside the group"
    assert "two.yaml in the same folder" in error.hint
    deep = {"one.yaml": "group: one\ntask: [one]\n"}
    assert "nested deeper" in refused("group: g\ntask: [one]\n", deep).message


CODE = """
def pick(docs): return docs.filter(lambda d: d["gold"] == 1)
def text(doc): return "Say " + doc["q"]
def fail(doc): raise RuntimeError("no")
"""


def test_trusted_code_runs_and_only_then() -> None:
    text = BASE.replace("doc_to_text: q", "doc_to_text: !function u.text")
    assert task(text, {"u.py": CODE}, trust=True).items[0].context == "Say q0"
    assert "--trust-code" in refused(text, {"u.py": "raise SystemExit"}).hint
    for name, source, message in (
        ("u.fail", CODE, "RuntimeError"),
        ("u.none", CODE, "no function 'none'"),
        ("u.text", "import nowhere_to_be_found", "ModuleNotFoundError"),
        ("../u.text", CODE, "module.function"),
        ("v.text", CODE, "no such file"),
    ):
        with pytest.raises(SuiteError, match=message):
            task(text.replace("u.text", name), {"u.py": source}, trust=True)


def test_trusted_documents_are_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    found = task(BASE + "process_docs: !function u.pick\n", {"u.py": CODE}, trust=True)
    assert [item.id for item in found.items] == ["1"]


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(SuiteError):
        read("t.yaml", files({"t.yaml": data}))


def test_the_example_of_the_manual_works() -> None:
    root = Path(__file__).parents[3]
    manual = (root / "docs" / "tasks.md").read_text()
    for name in ("capitals.yaml", "capitals.jsonl"):
        assert (root / "examples" / "tasks" / name).read_text() in manual
    (found,) = read("examples/tasks/capitals.yaml", lambda path: (root / path).read_bytes())
    assert len(found.items) == 6
    assert found.items[2].context == (
        "Name the capital.\n\nThe capital of France is Paris\n\n"
        "The capital of Italy is Rome\n\nThe capital of Japan is"
    )
    assert found.items[2].fields == (("continent", "Asia"),)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
KEYS = sorted(_KEYS - {"task", "group"})


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3), st.sampled_from((BASE, WRITE)))
def test_any_values_are_read_or_refused(more: dict[str, Any], base: str) -> None:
    text = yaml.safe_dump(yaml.safe_load(base) | more)
    try:
        assert task(text).items
    except SuiteError as error:
        assert error.hint


DOCUMENT = st.dictionaries(st.sampled_from(("id", "q", "options", "gold")), VALUES)


@given(st.lists(DOCUMENT, min_size=1, max_size=3), st.sampled_from((BASE, WRITE)))
def test_any_documents_are_read_or_refused(documents: list[Any], base: str) -> None:
    rows = "\n".join(map(json.dumps, documents))
    text = base.replace("doc_to_text: q", "doc_to_text: '{{q}} {{id}}'") + "num_fewshot: 1\n"
    try:
        assert task(text, {"data.jsonl": rows}).items
    except SuiteError as error:
        assert error.hint
