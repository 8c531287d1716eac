from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.items.order import FIRST, LOOKS, Look, looks, ordered, schedule
from lab.protocol import Gate, Item, Kind, Task

GATE = Gate()
CLUSTERS = st.lists(st.sampled_from(["", "", "a", "b", "c", "d"]), min_size=1, max_size=60)


def task(clusters: list[str], digest: str = "d") -> Task:
    items = tuple(Item(str(n), "", ("x",), cluster=c) for n, c in enumerate(clusters))
    return Task("t", items, Kind.TEXT, digest=digest)


@given(CLUSTERS, st.integers(1, 80))
def test_order_is_of_the_content_alone_and_keeps_clusters_together(
    clusters: list[str], limit: int
) -> None:
    found = ordered(task(clusters), limit)
    assert len(found.items) == min(limit, len(clusters))
    runs = [c for n, c in enumerate(i.cluster for i in found.items)
            if c and (not n or found.items[n - 1].cluster != c)]  # fmt: skip
    assert len(runs) == len(set(runs))
    backwards = task(clusters)
    backwards = replace(backwards, items=backwards.items[::-1])
    again = ordered(backwards, limit)
    assert [i.cluster for i in again.items] == [i.cluster for i in found.items]
    if not any(clusters):
        assert again == found
    assert ordered(task(clusters), len(clusters)).items[: len(found.items)] == found.items


def test_another_suite_has_another_order() -> None:
    plain = [""] * 100
    one, other, none = (ordered(task(plain, digest), 100).items for digest in ("a", "b", ""))
    assert one != other != none
    edited = task(plain, "")
    edited = replace(edited, items=(replace(edited.items[0], choices=("y",)), *edited.items[1:]))
    assert [i.id for i in ordered(edited, 100).items] != [i.id for i in none]


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, (1,)),
        (69, (69,)),
        (70, (50, 70)),
        (100, (50, 71, 100)),
        (1000, (50, 77, 118, 181, 277, 425, 652, 1000)),
        (100_000, (50, 148, 438, 1296, 3838, 11_362, 33_742, 100_000)),
    ],
)
def test_looks_grow(n: int, expected: tuple[int, ...]) -> None:
    assert schedule(task([""] * n), GATE) == pytest.approx(expected, rel=0.01)
    assert schedule(task([""] * n), Gate(early=False)) == (n,)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=300))
def test_looks_fall_between_clusters(sizes: list[int]) -> None:
    whole = task([str(n) for n, size in enumerate(sizes) for _ in range(size)])
    found = looks(whole, GATE)
    assert found[-1] == Look(sum(sizes), len(sizes))
    assert [look.items for look in found] == list(schedule(whole, GATE))
    assert all(one.items < two.items for one, two in pairwise(found))
    assert len(found) <= LOOKS
    assert all(look.items == sum(sizes[: look.units]) for look in found)
    assert found[0].units >= min(FIRST, len(sizes))


def test_a_scattered_cluster_is_cut_by_no_look() -> None:
    ends = task(["a", *[""] * 148, "a"])
    assert looks(ends, GATE) == (Look(150, 149),)
    early = task(["a", *[""] * 60, "a", *[""] * 88])
    assert looks(early, GATE)[0] == Look(62, 61)
