"""What is marked: tracking files of every shape, and a model in which nothing marked is garbage."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Blocked, PointerError
from registry.release.marking import Root, divided, folders, marked, mentioned, read

A, B, C = "a" * 32, "b" * 32, "c" * 32


@dataclass(frozen=True)
class Lying:
    id: str
    size: int
    time: int


@pytest.mark.parametrize(
    ("path", "text", "outputs", "ids"),
    [
        ("a.dvc", f"outs:\n- {{md5: {A}, path: a}}\n", [A], [A]),
        ("a.dvc", f"outs:\n- {{md5: {A}.dir, path: a, hash: md5}}\n", [A + ".dir"], [A + ".dir"]),
        ("a.dvc", f"outs:\n- {{md5: {A}, path: a, cache: false}}\n", [], [A]),
        ("a.dvc", f"outs:\n- {{md5: {A}, path: a, push: false}}\n", [], [A]),
        ("a.dvc", f"deps: [{{path: x}}]\nouts:\n- {{md5: {A}.dir, path: a}}\n", [], [A + ".dir"]),
        ("a.dvc", f"outs:\n- files: [{{md5: {A}}}, {{md5: {B}}}]\n  path: a\n", [], [A, B]),
        ("a.dvc", 'outs:\n- {md5: "\\x61' + A[1:] + '", path: a}\n', [A], [A]),
        ("a.dvc", f"# {C}\nouts: []\n", [], [C]),
        ("a.dvc", "", [], []),
        ("a.dvc", f"outs: {A}\n", [], [A]),
        ("a.dvc", f"outs:\n- {{md5: {A}}}\n- 7\n- {{md5: 7, path: x}}\n", [], [A]),
        ("x/dvc.lock", f"schema: '2.0'\nstages: {{t: {{deps: [{{md5: {B}}}], outs: "
         f"[{{path: w, md5: {A}}}]}}}}\n", [A], [A, B]),
        ("dvc.lock", f"t: {{outs: [{{path: w, md5: {A}}}]}}\n", [], [A]),
        ("dvc.lock", f"stages: [{A}]\n", [], [A]),
    ],
)  # fmt: skip
def test_what_a_tracking_file_names(
    path: str, text: str, outputs: list[str], ids: list[str]
) -> None:
    found = read(text.encode(), path)
    assert [one.id for one in found.outputs] == outputs
    assert list(found.ids) == ids


@pytest.mark.parametrize(
    "data",
    [
        b"<<<<<<< HEAD\nouts: []\n", b"outs: [\n", b"- a\n", b"7\n", b"\xff\xfe", b"\0",
        b"a: 1\na: 2\n", b"outs: !!python/object:os.system x\n", b"[" * 5000, b"#" * 5_000_001,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(PointerError) as caught:
        read(data, "some/dvc.lock")
    assert "some/dvc.lock" in caught.value.message


def test_ids_in_texts() -> None:
    text = f"model {A}; data {B}.dir; {C}0 0{C} x{C} {C}.dirx {A.upper()} {C[1:]}"
    assert mentioned(text) == (A, f"{B}.dir", C)  # rather one too many


def test_a_needed_folder_without_its_listing_stops_and_a_mentioned_one_does_not() -> None:
    need, also = Root("ref", "main", (f"{A}.dir",)), Root("ref", "main", (), (f"{A}.dir",))
    assert marked([also], {}) == {f"{A}.dir"}
    assert marked([also], {f"{A}.dir": [B]}) == {f"{A}.dir", B}
    with pytest.raises(Blocked, match=f"ref main: the listing {A}.dir"):
        marked([also, need], {})


ids = st.integers(0, 30).map(lambda n: f"{n:032x}")
listings = st.dictionaries(ids.map(lambda i: f"{i}.dir"), st.frozensets(ids, max_size=5))


@given(st.data(), listings, st.integers(0, 100))
def test_nothing_marked_is_ever_garbage(
    data: st.DataObject, members: dict[str, frozenset[str]], before: int
) -> None:
    named = st.lists(st.one_of(ids, st.sampled_from([*members, "f" * 32])), max_size=4)
    roots = [
        Root("ref", str(n), tuple(needs), tuple(more))
        for n, (needs, more) in enumerate(data.draw(st.lists(st.tuples(named, named), max_size=6)))
    ]
    stored = data.draw(
        st.lists(
            st.builds(Lying, st.one_of(ids, st.sampled_from([*members, "e" * 32])),
                      st.integers(-1, 9), st.integers(-1, 100)),
            max_size=40,
        )
    )  # fmt: skip
    needed = marked(roots, members)
    found = divided(stored, needed, before)
    # The model: a walk from each root, by hand.
    live = {one for root in roots for one in (*root.needs, *root.ids)}
    live |= {m for one in list(live) for m in members.get(one, ())}
    assert not {one.id for one in found.garbage} & live
    assert all(0 <= one.time < before for one in found.garbage)
    parts = (*found.needed, *found.young, *found.undated, *found.garbage)
    assert sorted(map(repr, parts)) == sorted(map(repr, stored))
    assert all(one.id in live for one in found.needed)
    assert set(folders(roots)) == {one for one in live if one.endswith(".dir")}
