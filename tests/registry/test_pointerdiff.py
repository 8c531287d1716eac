from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.pointerdiff import (
    KEPT,
    UNKNOWN,
    Changed,
    Listed,
    Total,
    What,
    difference,
    unknown_sizes,
)

A, B, C = "a" * 32, "b" * 32, "c" * 32


def files(*rows: tuple[str, str, int]) -> tuple[Listed, ...]:
    return tuple(Listed(*row) for row in rows)


@pytest.mark.parametrize(
    ("before", "after", "changes", "new"),
    [
        ((), (), (), Total()),
        ((), (("x", A, 3),), (Changed("x", What.ADDED, UNKNOWN, 3),), Total(1, 3, 0)),
        ((("x", A, 3),), (), (Changed("x", What.REMOVED, 3),), Total()),
        ((("x", A, 3),), (("x", A, 3),), (), Total()),
        ((("x", A, 3),), (("x", B, 5),), (Changed("x", What.CHANGED, 3, 5),), Total(1, 5, 0)),
        ((("x", A, 3),), (("y", A, 3),), (Changed("y", What.RENAMED, 3, 3, "x"),), Total()),
        # Two places swap what they hold: both changed, and nothing new is stored.
        ((("x", A, 1), ("y", B, 2)), (("x", B, 2), ("y", A, 1)),
         (Changed("x", What.CHANGED, 1, 2), Changed("y", What.CHANGED, 2, 1)), Total()),
        # A copy is an added file of no new content.
        ((("x", A, 3),), (("x", A, 3), ("y", A, 3)), (Changed("y", What.ADDED, UNKNOWN, 3),),
         Total()),
        # Of two that moved, each is found again by its name.
        ((("p/1", A, 3), ("p/2", A, 3)), (("q/2", A, 3), ("q/1", A, 3)),
         (Changed("q/1", What.RENAMED, 3, 3, "p/1"), Changed("q/2", What.RENAMED, 3, 3, "p/2")),
         Total()),
        # One content, three new names: it moved once, and was copied twice.
        ((("x", A, 3),), (("1", A, 3), ("2", A, 3), ("3", A, 3)),
         (Changed("1", What.RENAMED, 3, 3, "x"), Changed("2", What.ADDED, UNKNOWN, 3),
          Changed("3", What.ADDED, UNKNOWN, 3)), Total()),
        # Without a digest nothing is the same as anything.
        ((("x", "", 3),), (("x", "", 3),), (Changed("x", What.CHANGED, 3, 3),), Total(1, 3, 0)),
        ((("x", "", 3),), (("y", "", 3),), (Changed("x", What.REMOVED, 3),
         Changed("y", What.ADDED, UNKNOWN, 3)), Total(1, 3, 0)),
        # What is new counts once, however often it is named, with the size that somebody states.
        ((), (("x", A, UNKNOWN), ("y", A, 4), ("z", B, UNKNOWN)),
         (Changed("x", What.ADDED), Changed("y", What.ADDED, UNKNOWN, 4), Changed("z", What.ADDED)),
         Total(2, 4, 1)),
    ],
)  # fmt: skip
def test_says_what_happened(
    before: tuple[tuple[str, str, int], ...],
    after: tuple[tuple[str, str, int], ...],
    changes: tuple[Changed, ...],
    new: Total,
) -> None:
    found = difference(files(*before), files(*after))
    assert found.files == changes
    assert found.new == new
    assert found.more == 0


def test_totals_say_what_is_not_known() -> None:
    found = difference(files(("x", A, 3)), files(("x", A, 3), ("y", B, UNKNOWN)))
    assert (found.before, found.after) == (Total(1, 3, 0), Total(2, 3, 1))
    assert found.gone == Total()
    assert found.same == 1


def test_a_path_named_twice_counts_once() -> None:
    found = difference((), files(("x", A, 3), ("x", B, 5)))
    assert found.after == found.new == Total(1, 5, 0)


def test_sizes_are_wanted_of_what_one_side_alone_has() -> None:
    before = files(("x", A, UNKNOWN), ("y", B, UNKNOWN), ("z", "", UNKNOWN))
    after = files(("x", A, UNKNOWN), ("y", C, UNKNOWN), ("w", C, UNKNOWN))
    assert unknown_sizes(before, after) == (C, B)


def test_hostile_listings_cost_little() -> None:
    many = [Listed(f"{n % 7}/{n}", A, 1) for n in range(100_000)]
    moved = [Listed(f"new/{n}", A, 1) for n in range(100_000)]
    found = difference(many, moved)
    # (a product of the two would take hours)
    assert found.count(What.RENAMED) == 100_000
    assert (len(found.files), found.more) == (KEPT, 100_000 - KEPT)


_LISTING = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d/a", "d/b", "e/a"]),
    st.tuples(st.sampled_from([A, B, C, ""]), st.integers(-1, 3)),
).map(lambda found: [Listed(path, *rest) for path, rest in found.items()])


@given(_LISTING, _LISTING)
def test_every_file_is_accounted_for(before: list[Listed], after: list[Listed]) -> None:
    found = difference(before, after)
    counts = Counter(one.what for one in found.files)
    was = {f.path: f for f in before}
    now = {f.path: f for f in after}
    assert counts == {what: found.count(what) for what in What if found.count(what)}
    kept = found.same + counts[What.CHANGED] + counts[What.RENAMED]
    assert kept + counts[What.REMOVED] == len(before)
    assert kept + counts[What.ADDED] == len(after)
    for one in found.files:
        if one.what is What.RENAMED:
            assert one.path not in was and one.was not in now
            assert now[one.path].digest == was[one.was].digest != ""
    # Nothing that is told as gone and as new had one digest: it would be a rename.
    gone = {was[f.path].digest for f in found.files if f.what is What.REMOVED} - {""}
    new = {now[f.path].digest for f in found.files if f.what is What.ADDED} - {""}
    assert not gone & new
    stored = {f.digest for f in after} - {f.digest for f in before} - {""}
    assert found.new.count == len(stored) + sum(not f.digest for f in after)
    back = difference(after, before)
    assert (back.new, back.gone, back.same) == (found.gone, found.new, found.same)
