"""Trees keep every row readable, and hold what rows share once."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lab.scoring.rows import Row
from lab.scoring.tree import deepened, families, packs, plant


@st.composite
def laid(draw: st.DrawFn) -> tuple[Row, ...]:
    """Rows of few different tokens, so that much is shared."""
    rows = []
    start = draw(st.lists(st.integers(0, 2), max_size=4))
    for item in range(draw(st.integers(1, 5))):
        header = draw(st.sampled_from([0, len(start)]))
        for choice in range(draw(st.integers(2, 4))):
            ids = start + draw(st.lists(st.integers(0, 2), min_size=2, max_size=6))
            scored = draw(st.integers(1, len(ids) - 1 - len(start)))
            rows.append(Row(item, choice, array("q", ids), scored, header))
    return tuple(rows)


@given(laid(), st.integers(1, 30))
def test_every_row_is_found_again(rows: tuple[Row, ...], limit: int) -> None:
    seen: list[int] = []
    for pack in packs(families(rows), limit):
        [header] = {len(family.header) for family in pack}
        tree = plant(rows, (n for family in pack for n in family.rows), header)
        assert len(tree.ids) == len(tree.places)
        assert len(tree.ids) <= max(limit, pack[0].size)
        for number, path in zip(tree.rows, tree.paths, strict=True):
            row = rows[number]
            assert row.header == header
            assert row.ids[:header] == pack[0].header
            assert [tree.ids[n] for n in path] == row.ids[header:-1].tolist()
            assert [tree.places[n] for n in path] == list(range(header, len(row.ids) - 1))
            assert len(path) >= row.scored  # no scored token is predicted by the header
        seen += tree.rows
    assert sorted(seen) == list(range(len(rows)))


def test_what_is_shared_stands_once() -> None:
    ids = ([9, 9, 1, 2, 3, 7], [9, 9, 1, 2, 4, 4, 7], [9, 9, 1, 2, 3, 8], [9, 9, 5, 6, 7])
    items = (0, 0, 0, 1)
    rows = [Row(i, 0, array("q", part), 1, 2) for i, part in zip(items, ids, strict=True)]
    [pack] = packs(families(rows), 100)
    assert pack[0].header.tolist() == [9, 9]
    tree = plant(rows, (n for family in pack for n in family.rows), 2)
    assert tree.rows == (0, 2, 1, 3)
    assert tree.ids.tolist() == [1, 2, 3, 4, 4, 5, 6]
    assert tree.places.tolist() == [2, 3, 4, 4, 5, 2, 3]


@st.composite
def grouped(draw: st.DrawFn) -> tuple[Row, ...]:
    """Rows of subjects, each with a header of its own after what all begin with."""
    base = draw(st.integers(0, 40))
    rows, item = [], 0
    for subject in range(draw(st.integers(1, 4))):
        header = [9] * base + [subject] * draw(st.integers(0, 90))
        for _ in range(draw(st.integers(1, 8))):
            context = draw(st.lists(st.integers(10, 30), min_size=1, max_size=12))
            for choice in range(2):
                ids = array("q", header + context + [40 + choice])
                rows.append(Row(item, choice, ids, 1, base))
            item += 1
    return tuple(draw(st.permutations(rows)))


def cost(rows: Sequence[Row], limit: int) -> int:
    """Tokens that are read of all trees and their headers."""
    before, total = None, 0
    for pack in packs(families(rows), limit):
        header = pack[0].header
        tree = plant(rows, (n for family in pack for n in family.rows), len(header))
        total += len(tree.ids) + (len(header) if header != before else 0)
        before = header
    return total


@given(grouped(), st.integers(30, 200))
def test_a_group_may_have_a_header_of_its_own(rows: tuple[Row, ...], limit: int) -> None:
    found = deepened(rows, limit)
    for before, after in zip(rows, found, strict=True):
        assert (after.item, after.choice, after.ids) == (before.item, before.choice, before.ids)
        assert before.header <= after.header < len(after.ids) - after.scored
    for number, row in enumerate(found):
        assert all(row.header == one.header for one in found if one.item == rows[number].item)


def test_each_header_is_read_once() -> None:
    rows = [
        Row(20 * subject + item, choice, array("q", [9] * 5 + [subject] * 300 + end), 1, 5)
        for subject in range(3)
        for item in range(20)
        for choice, end in enumerate(([10 + item] * 40 + [1], [10 + item] * 40 + [2]))
    ]
    assert cost(rows, 512) > 3 * 305 + 60 * 40 + 3 * 3 * 300
    assert cost(deepened(rows, 512), 512) == 3 * 305 + 60 * 40
    alone = [row for row in rows if not row.item % 20]  # nobody to share with
    assert deepened(alone, 512) == alone
    assert deepened([], 512) == []
