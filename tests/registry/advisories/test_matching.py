"""Which versions an advisory affects, and what a range admits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from registry.advisories.matching import admits, affects, fix, newest, specifiers, undecided
from registry.advisories.values import Entry, Span


def entry(*spans: Span, versions: tuple[str, ...] = (), vague: str = "") -> Entry:
    return Entry("A", ("A",), "high", False, "", spans, versions, vague)


FIXED, LAST, OPEN = Span("1.0", "2.0"), Span("1.0", last="2.0"), Span("0")


@pytest.mark.parametrize(
    ("held", "text", "expected"),
    [
        (entry(FIXED), "1.0", True), (entry(FIXED), "0.9", False), (entry(FIXED), "2.0", False),
        (entry(FIXED), "2.0rc1", True), (entry(FIXED), "1.0.post1", True),
        (entry(FIXED), "1!1.0", False), (entry(FIXED), "v1.0", True),
        (entry(LAST), "2.0", True), (entry(LAST), "2.0.0", True), (entry(LAST), "2.0.1", False),
        # a build of an affected version is affected
        (entry(LAST), "2.0+cu118", True), (entry(FIXED), "2.0+cu118", False),
        (entry(versions=("2.6.2",)), "2.6.2+cpu", True),
        (entry(OPEN), "9999", True), (entry(OPEN), "0.0.0.dev0", True),
        (entry(versions=("1",)), "1.0.0", True), (entry(versions=("1",)), "1.0.1", False),
        # opaque: exactly, or not at all
        (entry(versions=("0.1-bulbasaur",)), "0.1-bulbasaur", True),
        (entry(versions=("0.1-bulbasaur",)), "0.1-Bulbasaur", False),
        (entry(FIXED), "0.1-bulbasaur", False), (entry(OPEN), "0.1-bulbasaur", True),
        (entry(), "1", False),
    ],
)  # fmt: skip
def test_affects(held: Entry, text: str, expected: bool) -> None:
    assert affects(held, text) is expected


@pytest.mark.parametrize(
    ("held", "text", "expected"),
    [
        (entry(FIXED), "0.1-bulbasaur", True), (entry(OPEN), "0.1-bulbasaur", False),
        (entry(versions=("1",)), "0.1-bulbasaur", False),
        (entry(vague="2.6.0"), "2.6.0", True), (entry(vague="2.6.0"), "2.5", True),
        (entry(vague="2.6.0"), "2.6.0+cu124", True), (entry(vague="2.6.0"), "2.6.1", False),
        (entry(vague="*"), "9", True), (entry(vague="2.6.0"), "odd-one", True),
        (entry(vague="2.6.0", versions=("2.5",)), "2.5", False),
    ],
)  # fmt: skip
def test_undecided(held: Entry, text: str, expected: bool) -> None:
    assert undecided(held, text) is expected


def test_fix_is_clear_of_every_entry() -> None:
    both = [entry(Span("0", "1.5")), entry(Span("1.2", "1.6"), Span("2", "2.1"))]
    assert fix(both, "1.3") == "1.6"
    assert fix(both, "2.0") == "2.1"
    assert fix([entry(OPEN)], "1") == ""
    assert fix([entry(Span("0", "2.6.2")), entry(versions=("2.6.2",))], "1") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""), ("*", ""), (">=1,<2", "<2,>=1"), ("1.2", "==1.2"), ("^1.2.3", "<2,>=1.2.3"),
        ("^0.2.3", "<0.3,>=0.2.3"), ("^0.0.3", "<0.0.4,>=0.0.3"), ("^0", "<1,>=0"),
        ("~1.2.3", "<1.3,>=1.2.3"), ("~1", "<2,>=1"), ("~=1.2", "~=1.2"),
        ("^x", None), ("~", None), ("^", None), ("a || b", None), ("latest", None),
        (">=1," * 1000, None), ("==" + "9" * 5000, None),
    ],
)  # fmt: skip
def test_specifiers(text: str, expected: str | None) -> None:
    found = specifiers(text)
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize(
    ("range_", "hit", "admitted"),
    [
        (">=2.6", False, True), ("", False, True), ("~=2.6.0", False, True), ("<2.6", False, False),
        (">=2.6,!=2.6.2,!=2.6.3", False, False), ("==2.6.*", False, True), (">2.6.2", False, True),
        (">2.6.3", False, False), ("<=2.6.2,>2.6.1", True, True),
    ],
)  # fmt: skip
def test_a_range_and_listed_versions(range_: str, hit: bool, admitted: bool) -> None:
    of = [entry(versions=("2.6.2", "2.6.3"))]
    assert bool(admits(SpecifierSet(range_), of)) is admitted
    # Nothing is known of what lies between and above those that are named.
    assert bool(newest(SpecifierSet(range_), of)) is hit


@pytest.mark.parametrize(
    ("range_", "expected"),
    [
        ("", None), (">=1", None), ("<2", False), ("<2,>=1", True), ("<1", None),
        (">=1.5,<1.9", True),
        ("<=2", None), (">1.2,<1.3", True), ("==1.*", True), ("~=1.4", True), (">=3", None),
    ],
)  # fmt: skip
def test_a_range_and_a_span(range_: str, expected: bool | None) -> None:
    found = newest(SpecifierSet(range_), [entry(FIXED)])
    assert (found[0][1] if found else None) is expected


def test_what_is_never_fixed_is_in_every_range() -> None:
    assert newest(SpecifierSet(">=5"), [entry(Span("1.0"))]) == ((entry(Span("1.0")), True),)
    assert newest(SpecifierSet(""), [entry(Span("1.0"))]) == ((entry(Span("1.0")), False),)


_number = st.tuples(st.integers(0, 4), st.integers(0, 3)).map(lambda t: f"{t[0]}.{t[1]}")
_clause = st.tuples(st.sampled_from([">=", "<=", "<", ">", "!=", "==", "~="]), _number).map("".join)


@settings(max_examples=50, deadline=None)
@given(st.lists(_clause, max_size=3), _number, _number)
def test_a_range_against_every_version_there_could_be(
    clauses: list[str], start: str, end: str
) -> None:
    # The oracle looks at a grid of releases, where the range is tried on each.
    specifier = SpecifierSet(",".join(clauses))
    held = entry(Span(start, end))
    grid = [Version(f"{a}.{b}.{c}") for a in range(7) for b in range(6) for c in range(3)]
    inside = [v for v in specifier.filter(grid) if Version(start) <= v < Version(end)]
    assert not inside or admits(specifier, [held])
    for _, whole in newest(specifier, [held]):
        admitted = list(specifier.filter(grid))
        assert not admitted or max(admitted) in inside
        assert not whole or len(inside) == len(admitted)
