"""Which rows prove the fast way, and what a model keeps of it from task to task."""

from __future__ import annotations

from array import array
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lab.model.folder import inspect
from lab.model.load import load
from lab.protocol import Item, Kind, Task
from lab.scoring.proof import CUT, PROOF, TREES, WHOLE, Proof, Seen, to_prove
from lab.scoring.rows import Row, alike
from lab.scoring.score import score, scorer
from tests.lab.models import TEXT, make_model
from tests.lab.scoring.test_level import ALONE, LETTERS, SHOTS


def rows_after(header: int, contexts: list[int], choices: int, *, letters: bool) -> list[Row]:
    """Rows whose choices differ in their last token only, or before."""
    rows = []
    for item, context in enumerate(contexts):
        for choice in range(choices):
            begun = array("q", [0] * header + [1 + item] * context)
            end = array("q", [choice] if letters else [choice, 7])
            rows.append(Row(item, choice, begun + end, len(end), header))
    return rows


@given(
    st.sampled_from([0, 5, CUT + 1, 300]),
    st.lists(st.integers(2, 40), min_size=1, max_size=40),
    st.integers(1, 5),
    st.booleans(),
)
def test_longest_first_and_last_are_read_whole(
    header: int, contexts: list[int], choices: int, letters: bool
) -> None:
    rows = rows_after(header, contexts, choices, letters=letters)
    whole, short = to_prove(Seen(), rows)
    assert len(set(whole)) == len(whole)
    longest = max(len(row.ids) for row in rows)
    assert max(len(rows[n].ids) for n in whole) == longest
    assert 0 in whole or len(whole) == len(alike(rows)[0])
    assert len(whole) + len(short) >= min(PROOF, len(rows))
    if header > CUT:
        assert len(alike([rows[n] for n in whole])) <= WHOLE + 1
    else:
        assert not short
    for row in short:
        assert row.header == CUT
        assert any(row.ids == one.ids[header - CUT :] for one in rows)
    done = Seen(PROOF, TREES, longest)
    assert to_prove(done, rows) == ([], [])
    longer, short = to_prove(Seen(PROOF, TREES, longest - 1), rows)
    assert {len(rows[n].ids) for n in longer} == {longest}
    assert len(alike([rows[n] for n in longer])) == 1
    assert short == []


def test_one_tree_is_not_enough() -> None:
    rows = rows_after(0, [3] * 20, 4, letters=True)
    assert to_prove(Seen(PROOF, TREES - 1, 100), rows)[0]


def test_what_one_task_proves_serves_the_next(tmp_path: Path) -> None:
    model = load(inspect(make_model(tmp_path, max_position_embeddings=256)), "cpu")
    first = score(model, SHOTS)
    seen = model.proof.headed
    assert first.level == "prefix"
    assert seen.rows >= PROOF
    assert seen.trees >= TREES
    before = seen.rows
    found = scorer(model, LETTERS)  # shorter rows, after another header
    found.take(len(LETTERS.items))
    assert found.level == "prefix"
    assert seen.rows == before
    assert found.gap == model.proof.gap
    # Rows after no header are another layout.
    score(model, ALONE)
    assert model.proof.alone.rows >= PROOF
    assert model.unproven().proof == Proof()
    assert model.unproven() == model


def test_what_broke_in_one_task_is_plain_in_the_next(tmp_path: Path) -> None:
    """A sliding window shows in long rows; short ones before it were rightly trusted."""
    folder = make_model(
        tmp_path, "mistral", num_key_value_heads=2, sliding_window=32, max_position_embeddings=256
    )
    model = load(inspect(folder), "cpu")
    short = tuple(Item(str(n), TEXT[n % 4][: 9 + n], (" a", " boat")) for n in range(12))
    task = Task("short", short, Kind.CHOICES)
    assert score(model, task).level == "prefix"
    assert score(model, SHOTS).level == "plain"
    assert model.proof.broken
    assert score(model, task).level == "plain"
