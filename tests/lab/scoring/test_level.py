"""Every architecture is scored right, whichever way its proof lets it be scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Item, Kind, Task
from lab.scoring import level
from lab.scoring.rows import Row, rows_of
from lab.scoring.score import score
from lab.scoring.tree import families
from tests.lab.models import TEXT, make_model
from tests.lab.scoring.test_score import TEXTS

HEADER = "".join(TEXT[:3])  # about 70 tokens
CHOICES = (" boat", " the harbour", "s", " naïve", " the old woman")
SHOTS = Task(
    "shots",
    tuple(
        Item(str(n), HEADER + TEXT[n % 4][: 12 + 2 * n] + "Answer:", CHOICES, n % 5)
        for n in range(20)
    ),
    Kind.CHOICES,
)
LETTERS = Task(
    "letters",
    tuple(
        Item(str(n), HEADER + TEXT[n % 4][n : 30 + n], (" A", " B", " C", " D"), n % 4)
        for n in range(12)
    ),
    Kind.CHOICES,
)
# No header, and choices of which one begins another.
ALONE = Task(
    "alone",
    tuple(Item(str(n), TEXT[n % 4][n : 4 * n + 1], ("a", "at", "at all")) for n in range(9)),
    Kind.CHOICES,
)
# Two subjects, each with a header of its own.
SUBJECTS = Task(
    "subjects",
    tuple(
        Item(f"{n}{word}", f"About {word}. " + HEADER + TEXT[n % 4][: 5 + n], (" A", " B"), n % 2)
        for word in ("boats", "harbours")
        for n in range(10)
    ),
    Kind.CHOICES,
)
TASKS = (SHOTS, LETTERS, ALONE, SUBJECTS)

TWO_HEADS = {"num_key_value_heads": 2}
# kind, what makes it special, the level it must reach on tasks with a header
ARCHITECTURES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("llama", {}, "prefix"),
    ("llama", {**TWO_HEADS, "rope_theta": 100.0}, "prefix"),
    ("gpt2", {}, "prefix"),
    ("gpt_neox", {}, "prefix"),
    ("opt", {"word_embed_proj_dim": 32}, "prefix"),
    ("qwen2", TWO_HEADS, "prefix"),
    ("mixtral", {**TWO_HEADS, "num_local_experts": 4, "sliding_window": None}, "prefix"),
    ("mistral", {**TWO_HEADS, "sliding_window": None}, "prefix"),
    ("mistral", {**TWO_HEADS, "sliding_window": 16}, "plain"),
    ("gemma", {**TWO_HEADS, "head_dim": 8}, "prefix"),
    ("gemma2", {"head_dim": 8, "sliding_window": 16}, "plain"),
    ("gemma3_text", {"head_dim": 8, "sliding_window": 16}, "plain"),
    ("bloom", {}, "plain"),
    ("mamba", {}, "plain"),
)


def folder_of(place: Path, kind: str, changes: dict[str, Any]) -> Path:
    size = {"seq_length" if kind == "bloom" else "max_position_embeddings": 256}
    if kind == "gpt2":
        size = {"n_positions": 256}
    return make_model(place, kind, **{**size, **changes})


def naive(model: Model, row: Row) -> float:
    """Score one row alone, by log-softmax in double precision."""
    import torch

    with torch.inference_mode():
        logits = model.module(input_ids=torch.tensor([row.ids[:-1].tolist()])).logits[0]
    table = logits.double().log_softmax(-1)
    places = range(len(row.ids) - 1 - row.scored, len(row.ids) - 1)
    return -sum(float(table[n, row.ids[n + 1]]) for n in places)


@pytest.mark.parametrize(("kind", "changes", "wanted"), ARCHITECTURES)
def test_scores_equal_one_row_at_a_time(
    kind: str, changes: dict[str, Any], wanted: str, tmp_path: Path
) -> None:
    model = load(inspect(folder_of(tmp_path, kind, changes)), "cpu")
    for task in TASKS:
        rows = rows_of(task, model.tokens, model.window).rows
        right = [naive(model, row) for row in rows]
        for batch_tokens in (0, 40):
            reader = level.Reader(model, batch_tokens)
            found = [one.nats for one in reader.score(rows)]
            assert found == pytest.approx(right, abs=1e-3), (task.name, batch_tokens)
            if task is not ALONE:
                assert reader.level == wanted, (task.name, reader.gap)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(inspect(folder_of(tmp_path_factory.mktemp("llama"), "llama", {})), "cpu")


def test_level_and_gap_are_recorded(model: Model) -> None:
    told: list[tuple[int, int]] = []
    found = score(model, SHOTS, progress=lambda done, total: told.append((done, total)))
    assert found.level == "prefix"
    assert found.gap is not None
    assert 0 <= found.gap <= level.TOLERANCE
    assert told[-1] == (100, 100)
    again = score(model, SHOTS)  # nothing to prove any more, and equal to the last bit
    assert (again.items, again.level, again.gap) == (found.items, found.level, found.gap)
    assert again.usage.tokens < found.usage.tokens


def test_texts_are_read_plainly(model: Model) -> None:
    found = score(model, TEXTS)
    assert (found.level, found.gap) == ("plain", None)


def test_one_row_beyond_the_tolerance_and_all_are_plain(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = score(model, SHOTS, batch_tokens=300)
    monkeypatch.setattr(level, "TOLERANCE", -1.0)
    fresh = model.unproven()
    found = score(fresh, SHOTS)
    assert found.level == "plain"
    assert found.gap is not None
    assert [i.nll for i in found.items] == pytest.approx([i.nll for i in plain.items], abs=1e-3)
    monkeypatch.undo()
    assert score(fresh, LETTERS).level == "plain"  # once broken, never trusted again
    assert score(model, LETTERS).level == "prefix"


def test_what_is_too_large_for_a_mask_is_read_plainly(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score(model, SHOTS)
    rows = rows_of(SHOTS, model.tokens, model.window).rows
    areas = sorted(f.size * (len(f.header) + f.size) for f in families(rows))
    for bound, wanted in ((areas[9], "prefix"), (0, "plain")):
        monkeypatch.setattr(level, "_MASK", bound)
        found = score(model, SHOTS)
        assert found.level == wanted
        assert [i.nll for i in found.items] == pytest.approx([i.nll for i in whole.items], abs=1e-3)


def test_half_precision_is_always_read_plainly(tmp_path: Path) -> None:
    import torch

    folder = folder_of(tmp_path, "llama", {"dtype": torch.bfloat16, "initializer_range": 0.05})
    found = score(load(inspect(folder), "cpu"), SHOTS)
    assert (found.level, found.gap) == ("plain", None)


def test_subjects_have_headers_of_their_own(model: Model) -> None:
    score(model, SHOTS)
    rows = rows_of(SUBJECTS, model.tokens, model.window).rows
    reader = level.Reader(model, 100)
    reader.score(rows)
    most = max(len(row.ids) for row in rows)
    # Both headers once, what is proven, and of each item what is its own.
    assert reader.read < 5 * most + sum(f.size for f in families(rows)) // 2
