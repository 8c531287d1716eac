"""Real models in real repositories, scored in the real sandbox."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the model extra")
pytest.importorskip("transformers", reason="needs the model extra")

from bot import sandbox
from bot.cache import Cache
from bot.change import Change
from bot.checks import regression
from bot.checks.regression import Evidence, Settings, Standing, pairs
from bot.exhibit import Table
from bot.finding import Level
from bot.repository import GitWorld
from tests.gitrepo import Repo
from tests.lab.models import TEXT, make_model

WORDS = "".join(TEXT).replace("\n", " ").split()
# The rung decides what a test can require: a machine without bubblewrap still measures.
POLICY: dict[str, Any] = {
    "model": "model",
    "suite": [
        {"name": "heldout", "path": "eval/heldout.jsonl"},
        {"name": "quiz", "path": "eval/quiz.jsonl"},
    ],
    "require": list(sandbox.probe().holds),
    "device": "cpu",
    "memory_gb": 4,
}
SETTINGS = Settings.model_validate_json(json.dumps(POLICY))


def commit(folder: Path) -> str:
    return Repo(folder).commit({})


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama that has learnt its four sentences."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(2)
    folder = make_model(tmp_path_factory.mktemp("trained"), initializer_range=0.02)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder))
    module = AutoModelForCausalLM.from_pretrained(str(folder))
    ids = torch.tensor([tokenizer("".join(TEXT))["input_ids"][:60]])
    optimiser = torch.optim.AdamW(module.parameters(), lr=3e-3)
    for _ in range(80):
        module(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    module.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="session")
def damaged(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with noise on its weights."""
    import torch
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("damaged") / "model"
    shutil.copytree(trained, folder)
    module = AutoModelForCausalLM.from_pretrained(str(folder))
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * weight.std() * 0.5)
    module.save_pretrained(str(folder))
    return folder


def place(model: Path, repository: Path) -> None:
    shutil.rmtree(repository / "model", ignore_errors=True)
    # Fresh times: git takes a file of the same size and second for the one it knows.
    shutil.copytree(model, repository / "model", copy_function=shutil.copyfile)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "eval").mkdir(parents=True)
    Repo(folder)
    texts = [{"id": f"t{i}", "text": " ".join(WORDS[i : i + 8])} for i in range(0, 40)]
    quiz = [
        {
            "id": f"q{i}",
            "prompt": " ".join(WORDS[i : i + 6]) + " ",
            "choices": [WORDS[i + 6], WORDS[i] + "x"],
            "answer": 0,
        }
        for i in range(0, 40)
    ]
    for name, items in (("heldout", texts), ("quiz", quiz)):
        lines = "".join(json.dumps(item) + "\n" for item in items)
        (folder / "eval" / f"{name}.jsonl").write_text(lines)
    return folder


Collect = Callable[..., Evidence]


@pytest.fixture
def collect(repository: Path) -> Iterator[Collect]:
    def run(base: str, head: str, settings: Settings = SETTINGS) -> Evidence:
        with GitWorld(repository) as world:
            change: Change = world.change(base, head)
            assert regression.applies(change, settings) == ""
            return regression.collect(change, world, settings)

    yield run


def rules_of(evidence: Evidence, settings: Settings = SETTINGS) -> list[str]:
    return [f.rule.partition("/")[2] for f in regression.judge(evidence, settings)]


def test_damaged_model_regresses_on_the_old_suite_measured_once(
    repository: Path, trained: Path, damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change guts the suite: it is judged by the old one, and a second run costs nothing."""
    place(trained, repository)
    base = commit(repository)
    place(damaged, repository)
    (repository / "eval" / "heldout.jsonl").write_text('{"text": "easy"}\n')
    head = commit(repository)
    seen: list[Evidence] = []
    said: list[str] = []
    for _ in range(2):
        with GitWorld(repository, Cache(tmp_path / "evidence.db"), said.append) as world:
            seen.append(regression.collect(world.change(base, head), world, SETTINGS))
        monkeypatch.setattr(pairs, "score", None)  # a second measurement would break
    assert [line for line in said if "scoring 2 models on 80 items" in line] == said[:1]
    assert any("head: 80/80" in line for line in said)
    evidence = seen[0]
    assert evidence == seen[1]
    assert (evidence.problem, evidence.standing) == (None, Standing.COMPARED)
    assert evidence.edited == ("eval/heldout.jsonl",)
    found = regression.judge(evidence, SETTINGS)
    assert found[0].rule == "regression/suite-edited"
    worse = [f.message for f in found if f.rule == "regression/regressed"]
    assert worse[0].startswith("heldout: ")
    assert "bits per byte worse (90 % interval" in worse[0]
    assert "on 40 items" in worse[0]
    assert "LlamaForCausalLM" in regression.summary(evidence)
    assert "2 suites, 80 items" in regression.summary(evidence)
    shown = Counter(type(e).__name__ for e in regression.exhibits(evidence, SETTINGS))
    # What decides, accuracy, acc_norm, brier, ece and pace; two records for each suite.
    assert (shown["IntervalPlot"], shown["Record"], shown["ScatterPlot"]) == (6, 4, 2)


def test_equal_bytes_in_another_place_are_identical(
    repository: Path, collect: Collect, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moving weights into LFS changes the file in git, and nothing of the model."""
    monkeypatch.setattr(pairs, "score", None)  # no forward pass
    place(trained, repository)
    base = commit(repository)
    into_lfs(repository)
    evidence = collect(base, commit(repository))
    assert (evidence.standing, evidence.problem) == (Standing.SAME, None)
    assert rules_of(evidence) == ["identical"]


def test_other_shards_and_another_name_are_identical(
    repository: Path, collect: Collect, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "score", None)  # no forward pass
    place(trained, repository)
    base = commit(repository)
    reshard(repository / "model")
    evidence = collect(base, commit(repository))
    assert (evidence.standing, evidence.problem) == (Standing.SAME, None)
    assert rules_of(evidence) == ["identical"]


def reshard(model: Path) -> None:
    """Write the same tensors in two files with an index."""
    from safetensors.numpy import load_file, save_file

    whole = model / "model.safetensors"
    tensors = sorted(load_file(whole).items())
    whole.unlink()
    names: dict[str, str] = {}
    for number in (0, 1):
        part = dict(tensors[number::2])
        save_file(part, model / f"part-{number}.safetensors", metadata={"format": "pt"})
        names |= dict.fromkeys(part, f"part-{number}.safetensors")
    index = {"metadata": {}, "weight_map": names}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


def test_a_clear_answer_ends_scoring_early(
    repository: Path, collect: Collect, trained: Path, damaged: Path
) -> None:
    begins = "".join(TEXT)[:130]  # the model has learnt no more
    texts = (begins[n % 40 : 80 + n % 40 + n // 40] for n in range(400))
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (repository / "eval" / "heldout.jsonl").write_text(lines)
    policy = POLICY | {"suite": POLICY["suite"][:1], "slowdown": 0}
    settings = Settings.model_validate_json(json.dumps(policy))
    place(trained, repository)
    base = commit(repository)
    place(damaged, repository)
    evidence = collect(base, commit(repository), settings)
    assert evidence.problem is None
    [task] = evidence.tasks
    assert task.decision.n < task.decision.planned == 400
    [finding] = [f for f in regression.judge(evidence, settings) if f.severity is Level.FAILURE]
    assert finding.rule == "regression/regressed"
    assert f"on {task.decision.n} of 400 items, enough for a clear answer" in finding.message
    table = regression.exhibits(evidence, settings)[0]
    assert isinstance(table, Table)
    assert table.rows[0][1] == f"{task.decision.n} of 400"
    assert ("Notes", f"ended early: {task.decision.n} of 400 items scored") in task.records[1].facts


HARNESS_TASK = """
task: next-word
dataset_path: json
dataset_kwargs: {data_files: {test: next-word.data}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{begins}}"
doc_to_choice: ["{{right}}", "{{right}}x"]
doc_to_target: 0
metric_list: [{metric: acc}]
metadata: {slices: [part]}
"""


def test_a_task_file_of_the_base_judges_in_the_sandbox(
    repository: Path, collect: Collect, trained: Path, damaged: Path
) -> None:
    """The change empties the data beside it, to no avail."""
    pytest.importorskip("jinja2", reason="needs the model extra")
    rows = [
        {"begins": " ".join(WORDS[n : n + k]), "right": WORDS[n + k], "part": str(n % 2)}
        for n in range(12)
        for k in range(2, 7)
    ]
    data = repository / "eval" / "next-word.data"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (repository / "eval" / "next-word.yaml").write_text(HARNESS_TASK)
    suite = {"name": "words", "path": "eval/next-word.yaml"}
    policy = POLICY | {"suite": [suite], "slowdown": 0}
    settings = Settings.model_validate_json(json.dumps(policy))
    place(trained, repository)
    base = commit(repository)
    place(damaged, repository)
    data.write_text("")
    evidence = collect(base, commit(repository), settings)
    assert evidence.problem is None
    assert evidence.edited == ("eval/next-word.data",)
    [task] = evidence.tasks
    assert (task.decision.task, task.decision.planned) == ("words", len(rows))
    assert [m.metric for m in task.metrics if not m.slice] == ["accuracy"]
    assert {m.slice for m in task.metrics} == {"", "part=0", "part=1"}
    found = rules_of(evidence, settings)
    assert found[0] == "suite-edited"
    assert {"regressed", "less-likely"} & set(found)


def into_lfs(repository: Path, *, keep: bool = True) -> None:
    weights = repository / "model" / "model.safetensors"
    data = weights.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if keep:
        target = repository / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
        target.parent.mkdir(parents=True)
        target.write_bytes(data)
    weights.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"
    )


def test_missing_weights(repository: Path, collect: Collect, trained: Path, damaged: Path) -> None:
    place(trained, repository)
    base = commit(repository)
    place(damaged, repository)
    into_lfs(repository, keep=False)
    evidence = collect(base, commit(repository))
    (finding,) = regression.judge(evidence, SETTINGS)
    assert (finding.rule, finding.severity) == ("regression/weights-missing", Level.UNKNOWN)
    assert finding.message.startswith("head model: ")
    assert "git lfs" in finding.remedy


def break_header(model: Path) -> None:
    (model / "model.safetensors").write_bytes(b"\xff" * 8 + b"{}")


def break_shape(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))


def ask_for_code(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    own = {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}
    (model / "config.json").write_text(json.dumps(config | own))


def ask_for_memory(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"intermediate_size": 10**9}))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (break_header, "head model: "),
        (break_shape, "head model: tensor"),
        (ask_for_code, "code of its own"),
        (ask_for_memory, "memory|shape"),
    ],
)
def test_broken_head(
    repository: Path,
    collect: Collect,
    trained: Path,
    damage: Callable[[Path], None],
    words: str,
) -> None:
    place(trained, repository)
    base = commit(repository)
    damage(repository / "model")
    evidence = collect(base, commit(repository))
    (finding,) = regression.judge(evidence, SETTINGS)
    assert finding.severity is Level.UNKNOWN
    assert finding.rule in ("regression/broken-model", "regression/no-answer")
    assert re.search(words, finding.message)
    assert str(repository) not in finding.message


def test_added_then_removed(repository: Path, collect: Collect, trained: Path) -> None:
    base = commit(repository)
    place(trained, repository)
    head = commit(repository)
    evidence = collect(base, head)
    assert rules_of(evidence) == ["model-added"], evidence
    assert "LlamaForCausalLM" in evidence.about
    shutil.rmtree(repository / "model")
    assert rules_of(collect(head, commit(repository))) == ["model-removed"]


def test_out_of_time(repository: Path, collect: Collect, trained: Path, damaged: Path) -> None:
    place(trained, repository)
    base = commit(repository)
    place(damaged, repository)
    hurried = SETTINGS.model_copy(update={"minutes": 0.01})
    evidence = collect(base, commit(repository), hurried)
    (finding,) = regression.judge(evidence, hurried)
    assert (finding.rule, finding.severity) == ("regression/no-answer", Level.UNKNOWN)
    assert "not finished after 0.6 s" in finding.message
