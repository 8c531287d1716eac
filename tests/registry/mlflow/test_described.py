"""A release in MLflow's terms: what is said, and that it never says too much."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.metrics.measure import Measurement
from registry.mlflow import described
from registry.release.values import Against, Pointed
from tests.registry.mlflow.releases import ROOT, record, release


def test_many_pointers_fit_into_a_tag() -> None:
    plain = release()
    every = tuple(
        Pointed(f"data/part-{n:05}.bin", "dvc", f"{n:032x}", 10, "data.dvc") for n in range(5000)
    )
    big = replace(plain, weights=replace(plain.weights, pointers=every))
    tags = described.tags(big, ROOT)
    assert len(tags["dvc.weights"]) <= described.VALUE
    assert tags["dvc.weights"].endswith(" more")
    assert tags["dvc.weights"].count("data/part-") + int(tags["dvc.weights"].split()[-2]) == 5000
    assert len(described.model(big, ROOT)["flavor"]["weights"]) == described.POINTERS


def test_numbers_that_are_none_are_left_out() -> None:
    odd = [
        Measurement("t", "a", math.nan, None, None, 1, 0.05),
        Measurement("t", "b", 1.0, -math.inf, math.inf, 1, 0.05),
        Measurement("t", "c", 1, 0, None, 1, 0.05, "s"),
    ]
    found = described.record_metrics(replace(record("t", 0.5), measurements=tuple(odd)))
    kept = {name: value for name, value in found.items() if not name.startswith("usage")}
    assert kept == {"t/b": 1.0, "t/s/c": 1.0, "t/s/c.low": 0.0}


@pytest.mark.parametrize(
    ("made", "paths", "inputs", "outputs"),
    [
        ("LlamaForCausalLM", ("m/tokenizer.json",), "prompt", "completion"),
        ("T5ForConditionalGeneration", ("m/tokenizer.model",), "prompt", "completion"),
        ("LlamaForCausalLM", ("tokenizer/model.safetensors",), "input_ids", "logits"),
        ("BertForMaskedLM", ("m/tokenizer.json",), "input_ids", "logits"),
        ("BertForSequenceClassification", ("m/tokenizer.json",), "input_ids", "output"),
        ("", ("m/tokenizer.json",), "input_ids", "logits"),
    ],
)
def test_signatures(made: str, paths: tuple[str, ...], inputs: str, outputs: str) -> None:
    plain = release()
    weights = tuple(Pointed(path, "dvc", "0" * 32, 1, "m.dvc") for path in paths)
    measured = (replace(record("t", 0.5), architecture=made),) if made else ()
    whole = replace(plain, weights=replace(plain.weights, pointers=weights), measurements=measured)
    [[first, _, _]], [[last, _, _]] = described.signature(whole)
    assert (first, last) == (inputs, outputs)


@pytest.mark.parametrize(
    ("date", "ms"),
    [
        ("2026-05-01T09:30:00Z", 1777627800000),
        ("2026-05-01T09:30:00", 1777627800000),
        ("2026-05-01T11:30:00+02:00", 1777627800000),
        ("yesterday", 0),
        ("", 0),
        ("0001-01-01T00:00:00Z", 0),
    ],
)
def test_moments(date: str, ms: int) -> None:
    assert described.moment(replace(release(), date=date)) == ms


def test_what_strangers_wrote_is_text() -> None:
    bad = Against("1.1.0", "", "pass", "<img src=x onerror=alert(1)> | [a](b) @ada", "")
    told = described.describe(replace(release(), against=(bad,)), ROOT)
    assert "<img" not in told
    assert "](b)" not in told
    assert "@ada" not in told


@settings(max_examples=50)
@given(st.text(max_size=9000), st.lists(st.text(max_size=6000), max_size=4))
def test_nothing_is_longer_than_mlflow_takes(text: str, notes: list[str]) -> None:
    plain = release()
    one = replace(record("t", 0.5), notes=tuple(notes), task=text, model=text, data=text)
    whole = replace(plain, repository=text, measurements=(one,), fingerprint=text)
    tags = [described.run_tags(whole, ROOT), described.measured_tags(whole, ROOT, one, "r")]
    params = [described.params(whole), described.record_params(one)]
    for table in (*tags, *params):
        for name, value in table.items():
            assert 0 < len(name) <= 250
            assert len(value) <= described.VALUE
    assert all(len(name) <= 250 for name in described.record_metrics(one))
    for name, digest, *_ in described.evaluated(one) + described.training(whole):
        assert len(name) <= 500
        assert len(digest) <= 36
