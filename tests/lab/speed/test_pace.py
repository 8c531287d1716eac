from __future__ import annotations

import gc
from pathlib import Path

import pytest

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.model.memory import peak
from lab.protocol import Pace
from lab.speed.pace import latency, pace
from lab.speed.slowdown import Verdict, judge_pace
from tests.lab.models import make_classifier, make_model, make_pair_model


@pytest.fixture(scope="module")
def small(llama: Path) -> Model:
    return load(inspect(llama), "cpu")


def test_two_models_in_turn(small: Model, tmp_path: Path) -> None:
    import torch

    head = load(inspect(make_model(tmp_path, num_hidden_layers=6)), "cpu")
    before = torch.get_num_threads(), gc.isenabled()
    scores = pace(small, head, Pace(rounds=12))
    assert (torch.get_num_threads(), gc.isenabled()) == before
    assert len(scores.prefill) == len(scores.decode) == 12
    assert all(seconds > 0 for pair in scores.prefill + scores.decode for seconds in pair)
    assert scores.written == 8
    prefill, decode, memory = judge_pace(scores)
    # Three times the layers: no noise hides it.
    assert prefill.verdict is Verdict.SLOWER
    assert decode.verdict is Verdict.SLOWER
    assert memory.verdict is Verdict.LARGER


def test_a_small_budget_means_fewer_rounds_but_ten(small: Model) -> None:
    scores = pace(small, small, Pace(rounds=200), budget=0.01)
    assert len(scores.prefill) == 10
    assert scores.written == 2
    assert scores.peak[0] == scores.peak[1]


def test_texts_fit_both_models(small: Model, tmp_path: Path) -> None:
    head = load(inspect(make_model(tmp_path, "gpt2", max_position_embeddings=24)), "cpu")
    assert len(pace(small, head, Pace(rounds=2)).decode) == 2


def test_latency_of_one_model(small: Model) -> None:
    found = latency(small, requests=12)
    assert found.requests == 12
    assert 0 < found.p50 <= found.p95
    assert found.tokens_per_second is not None


def test_a_model_that_fails_is_named(small: Model, tmp_path: Path) -> None:
    head = load(inspect(make_model(tmp_path)), "cpu")
    head.module.lm_head.weight.data = head.module.lm_head.weight.data[:, :-1]
    with pytest.raises(ModelError, match="a model fails while it is timed"):
        pace(small, head, Pace(rounds=1))


def test_memory_is_of_one_model_and_repeats(small: Model) -> None:
    import torch

    weights = sum(p.numel() * 4 for p in small.module.parameters())
    buffers = sum(b.numel() * b.itemsize for b in small.module.buffers())

    def run() -> None:
        held = [torch.zeros(1000) for _ in range(5)]
        held = [held[0].view(10, 100), held[0].t()]
        torch.ones(500)

    first, second = peak(small, run), peak(small, run)
    assert first == second == weights + buffers + 5 * 4000
    assert peak(small, lambda: small.module.lm_head.weight.t()) == weights + buffers


def test_classifiers_only_read(tmp_path: Path) -> None:
    model = load(inspect(make_classifier(tmp_path)), "cpu")
    scores = pace(model, model, Pace(rounds=2))
    assert (len(scores.prefill), scores.decode, scores.written) == (2, (), 0)
    assert latency(model).tokens_per_second is None


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_encoder_decoders_read_and_write(kind: str, tmp_path: Path) -> None:
    model = load(inspect(make_pair_model(tmp_path, kind)), "cpu")
    scores = pace(model, model, Pace(rounds=2))
    assert (len(scores.prefill), len(scores.decode)) == (2, 2)


def test_a_pair_of_which_one_writes_only_reads(small: Model, tmp_path: Path) -> None:
    head = load(inspect(make_classifier(tmp_path)), "cpu")
    assert pace(small, head, Pace(rounds=2)).decode == ()


@pytest.mark.parametrize("kind", ["mamba", "bloom", "gpt2"])
def test_other_architectures(kind: str, tmp_path: Path) -> None:
    options = {"state_size": 4} if kind == "mamba" else {}
    model = load(inspect(make_model(tmp_path, kind, **options)), "cpu")
    assert len(pace(model, model, Pace(rounds=2)).decode) == 2
