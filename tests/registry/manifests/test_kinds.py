"""What kind of difference it is."""

import pytest

from registry.manifests import read
from registry.manifests.difference import difference
from registry.manifests.kinds import Kind, sources

HEX = "0123456789abcdef0123456789abcdef01234567"
Files = dict[str, str]


def kinds(before: Files, after: Files) -> list[str]:
    sides = [
        [(p, read("requirements", t.encode())) for p, t in files.items()]
        for files in (before, after)
    ]
    return [", ".join(d.kinds) for d in difference(*sides)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "x", "added"),
        ("x", "", "removed"),
        ("x==1", "x==2", "changed"),
        ("x>=1", "x>=2", "changed"),
        ("x>=1,<2", "x>=1,<3", "changed"),
        ("x==1", "x>=1", "changed, pin to range, loosened"),
        ("x==1", "x==1.*", "changed, pin to range, loosened"),
        ("x===1", "x", "changed, pin to range, loosened"),
        ("x~=1.4", "x>=1.4,<2", "changed, loosened"),
        ("x~=1.4", "x~=1.5", "changed"),
        ("x~=1.4", "x==1.5", "changed, pinned"),
        ("x>=1,<2", "x>=1", "changed, loosened"),
        ("x>=1,<2", "x<2", "changed, loosened"),
        ("x>=2", "x>=1", "changed, loosened"),
        ("x>=1,!=1.5", "x>=1", "changed, loosened"),
        ("x>=1,!=1.5", "x>=2", "changed"),
        ("x>=1", "x==1", "changed, pinned"),
        ("x==0.1-bulbasaur", "x>=0.1", "changed, pin to range, loosened"),
        ("x>=0.1-bulbasaur", "x>=0.0-ivysaur", "changed"),
        ("x==1", "x[gpu]==1", "extra added"),
        ("x[gpu]==1", "x==1", "extra dropped"),
        ("x==1 --hash=sha256:0", "x==1", "hash lost"),
        ("x==1", "x==1; os_name=='nt'", "marker changed"),
        ("x==1", "x @ git+https://h/x@main", "changed, other source, mutable reference"),
        (f"x @ git+https://h/x@{HEX}", "x @ git+https://h/x@v1", "other source, mutable reference"),
        ("x @ git+https://h/x@v1", f"x @ git+https://h/x@{HEX}", "other source"),
        ("", "x @ git+https://h/x", "added, mutable reference"),
        ("", f"x @ git+https://h/x@{HEX}", "added"),
    ],
)
def test_the_kinds_of_one_requirement(before: str, after: str, expected: str) -> None:
    assert kinds({"a": before}, {"a": after}) == [expected]


def test_what_moves_and_differs_is_both() -> None:
    assert kinds({"a": "x==1"}, {"b": "x==2"}) == ["changed, moved"]
    assert kinds({"a": "x==1"}, {"b": "x==1"}) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": ""}, {"a": "-i https://i"}, [("index added", "https://i", "a")]),
        ({"a": "-i https://i"}, {"a": ""}, [("index dropped", "https://i", "a")]),
        ({"a": "-i https://i"}, {"b": "--extra-index-url https://i/"}, []),
        ({"a": "--trusted-host i"}, {"a": "-i i"},
         [("index added", "i", "a"), ("index dropped", "i", "a")]),
        ({"a": "-r x"}, {"a": "-r y"}, []),
    ],
)  # fmt: skip
def test_sources(before: Files, after: Files, expected: list[tuple[str, str, str]]) -> None:
    sides = [
        [(p, read("requirements", t.encode())) for p, t in files.items()]
        for files in (before, after)
    ]
    assert [(s.kind, s.option.value, s.path) for s in sources(*sides)] == expected


def test_every_kind_has_its_own_words() -> None:
    assert len({str(kind) for kind in Kind}) == len(Kind)
