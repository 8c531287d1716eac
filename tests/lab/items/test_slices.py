from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.items.slices import Slices, slices
from lab.protocol import Item, Kind, Task


def cut(*rows: dict[str, str]) -> Slices:
    items = (Item(str(n), "", ("x",), fields=tuple(row.items())) for n, row in enumerate(rows))
    return slices(Task("t", tuple(items), Kind.TEXT))


def test_values_make_slices_and_items_without_are_left_out() -> None:
    found = cut({"lang": "fr", "group": "a"}, {"lang": "en"}, {}, {"lang": "fr"})
    assert [(s.name, s.items) for s in found.slices] == [
        ("group=a", (0,)),
        ("lang=en", (1,)),
        ("lang=fr", (0, 3)),
    ]
    assert [(s.name, s.items) for s in found.first(1)] == [("group=a", (0,)), ("lang=fr", (0,))]
    assert not found.skipped


def test_numbers_are_cut_at_quartiles() -> None:
    found = cut(*({"length": str(10 * n)} for n in range(1, 13)))
    assert [(s.name, len(s.items)) for s in found.slices] == [
        ("length 10 to 30", 3),
        ("length 40 to 60", 3),
        ("length 70 to 90", 3),
        ("length 100 to 120", 3),
    ]
    few = cut(*({"length": str(n % 10)} for n in range(40)))
    assert [s.name for s in few.slices] == [f"length={n}" for n in range(10)]


def test_a_field_of_too_many_words_says_so() -> None:
    found = cut(*({"url": f"page {n}"} for n in range(21)))
    assert not found.slices
    assert found.skipped == ("field 'url' has 21 different values, more than 20: no slices",)
    assert len(cut(*({"url": f"page {n}"} for n in range(20))).slices) == 20
    # One that is no number makes words of all.
    mixed = cut(*({"size": str(n) if n else "unknown"} for n in range(21)))
    assert mixed.skipped
    assert cut(*({"size": str(n) if n else "nan"} for n in range(21))).skipped


@given(st.lists(st.floats(-1e6, 1e6), min_size=11, max_size=80))
def test_every_number_is_in_one_slice_and_equal_ones_together(values: list[float]) -> None:
    found = cut(*({"x": repr(value)} for value in values))
    numbers = sorted(n for part in found.slices for n in part.items)
    assert numbers == list(range(len(values)))
    places = {n: place for place, part in enumerate(found.slices) for n in part.items}
    if len({repr(value) for value in values}) > 10:
        together = {(value, places[n]) for n, value in enumerate(values)}
        assert len(together) == len(set(values))
        assert 1 <= len(found.slices) <= 4
        lowest = min(range(len(values)), key=values.__getitem__)
        highest = max(range(len(values)), key=values.__getitem__)
        assert places[lowest] == 0
        assert places[highest] == len(found.slices) - 1
