"""The reference pipeline, run by DVC from text to the plan of a release, trained for less long."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from typing import Any

import pytest

from examples.branches import POLICY
from examples.project import Project, Stopped, start

pytest.importorskip("torch")
pytest.importorskip("dvc")

STEPS = 200


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("tiny-llm")
    project = start(folder / "tiny-llm", folder / "scratch", lambda line: None, POLICY, STEPS)
    project.pipeline()
    return project


def loaded(project: Project, path: str) -> Any:
    return json.loads((project.folder / path).read_text(encoding="utf-8"))


def test_the_model_clearly_beats_token_frequencies(project: Project) -> None:
    trained, measured = loaded(project, "training.json"), loaded(project, "metrics.json")
    bar = 0.9 * trained["unigram_bits_per_byte"]
    assert trained["held_out_bits_per_byte"] < bar
    assert measured["held-out"]["bits_per_byte"] < bar
    assert measured["next-line"]["accuracy"] > 0.5  # one of four by chance
    assert 300_000 < trained["parameters"] < 3_000_000


def test_training_and_measuring_agree(project: Project) -> None:
    trained, measured = loaded(project, "training.json"), loaded(project, "metrics.json")
    ratio = measured["held-out"]["bits_per_byte"] / trained["held_out_bits_per_byte"]
    assert 0.95 < ratio < 1.05  # training scores one long text, measuring each passage alone


def test_the_model_loads_as_any_other(project: Project) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = project.folder / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    text = "ROMEO:\nBut soft! naïve 月"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert model.config.vocab_size == len(tokenizer)
    assert {p.name for p in folder.iterdir()} >= {"model.safetensors", "config.json"}


def test_nothing_runs_twice(project: Project) -> None:
    assert "up to date" in project.run("dvc", "repro")
    assert project.run("dvc", "status").strip() == "Data and pipelines are up to date."


def test_metrics_and_plots_are_there(project: Project) -> None:
    shown = json.loads(project.run("dvc", "metrics", "show", "--json"))
    assert set(shown[""]["data"]) == {"training.json", "metrics.json"}
    curve = (project.folder / "plots" / "loss.csv").read_text().splitlines()
    losses = [float(line.split(",")[1]) for line in curve[1:]]
    assert len(losses) == STEPS
    assert sum(losses[-20:]) < 0.85 * sum(losses[:20])
    plots = json.loads(project.run("dvc", "plots", "show", "--json"))["data"]
    assert set(plots) == {"plots/loss.csv", "metrics.csv"}
    [drawn] = plots["metrics.csv"]
    assert "DVC_METRIC" not in json.dumps(drawn["content"])


def test_intervals_are_those_of_the_numbers(project: Project) -> None:
    measured = loaded(project, "metrics.json")
    with (project.folder / "metrics.csv").open(newline="") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert set(rows) == {f"{task}/{name}" for task, held in measured.items() for name in held}
    accuracy = rows["next-line/accuracy"]
    assert float(accuracy["low"]) < float(accuracy["value"]) < float(accuracy["high"])


def test_card_and_plan_are_of_this_model(project: Project) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(project.folder / "CARD.md")
    results = {(r.dataset_name, r.metric_type): r.metric_value for r in card.data.eval_results}
    measured = loaded(project, "metrics.json")
    assert results["next-line", "accuracy"] == measured["next-line"]["accuracy"]
    assert (card.data.license, card.data.language) == ("apache-2.0", ["en"])
    assert "Shakespeare" in card.text
    assert card.text.count("this is a draft, of files that nobody released.") == 2
    assert "0.0.0" not in card.text
    plan = loaded(project, "release-plan.json")
    of = {one["fingerprint"] for one in loaded(project, "measurements.json")["records"]}
    assert of == {plan["fingerprint"]}
    assert plan["files"]["model.safetensors"] == weights(project)
    assert plan["suites"] == ["eval/held-out.jsonl", "eval/next-line.jsonl"]


def weights(project: Project) -> str:
    return sha256((project.folder / "model" / "model.safetensors").read_bytes()).hexdigest()


def test_held_out_text_is_not_trained_on(project: Project) -> None:
    from tokenizers import Tokenizer

    numpy = pytest.importorskip("numpy")
    prepared = project.folder / "prepared"
    tokenizer = Tokenizer.from_file(str(prepared / "tokenizer" / "tokenizer.json"))
    seen = tokenizer.decode(numpy.load(prepared / "train.npy").tolist())
    rows = (project.folder / "eval" / "held-out.jsonl").read_text().splitlines()
    texts = [json.loads(row)["text"] for row in rows]
    assert len(texts) > 80
    assert not [text for text in texts if text in seen]
    assert "bound to serve, love and obey." in seen


def test_a_model_that_learned_nothing_is_refused_twice_alike(project: Project) -> None:
    """In two clones: the same weights to the byte, on one machine."""
    made = []
    for name in ("lazy", "idle"):
        other = project.clone(name)
        other.edit("params.yaml", (f"steps: {STEPS}", "steps: 3"))
        other.run("python", "prepare.py")
        with pytest.raises(Stopped, match="does not clearly beat"):
            other.run("python", "train.py")
        made.append(weights(other))
    assert len(set(made)) == 1
