"""What a changed lock brings in unasked is told on its line, with the way and the cause."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.checks.dependencies import Settings, closure, collect, exhibits, judge, summary
from bot.exhibit import Table
from bot.finding import Finding, Level
from tests.fakes import FakeWorld

LOCKS = Path(__file__).parents[5] / "shared/data/audit/locks/datatrove"
Tree = Mapping[str, "bytes | str"]
U = "uv.lock"


def uv(*packages: tuple[str, str, str]) -> str:
    """A lock of (name, version, names it needs); `own` is the project."""
    text = ""
    for name, version, needs in packages:
        source = '{ editable = "." }' if name == "own" else '{ registry = "https://i" }'
        wanted = ", ".join(f'{{ name = "{n}" }}' for n in needs.split())
        text += f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {source}\n'
        text += f"dependencies = [{wanted}]\n"
    return text


OLD = uv(("own", "1", "a"), ("a", "1", ""))
NEW = uv(("own", "1", "a"), ("a", "2", "b"), ("b", "1", "c"), ("c", "3", ""))


def look(base: Tree, head: Tree) -> tuple[tuple[Finding, ...], str, tuple[Table, ...]]:
    world, settings = FakeWorld(base, head), Settings()
    evidence = collect(world.change(), world, settings)
    found = tuple(f for f in judge(evidence, settings) if f.rule == closure.TRANSITIVE.id)
    assert all(f.severity is Level.NOTE and f.message.isprintable() for f in found)
    tables = (e for e in exhibits(evidence, settings) if isinstance(e, Table))
    return found, summary(evidence), tuple(t for t in tables if t.title.startswith("What came"))


def test_the_way_and_the_cause() -> None:
    found, said, tables = look({U: OLD}, {U: NEW})
    assert [(f.location.line, f.message) for f in found] == [
        (12, "b 1 comes in through a -> b; a went from 1 to 2"),
        (17, "c 3 comes in through a -> b -> c; a went from 1 to 2"),
    ]
    assert "locked: 2 packages added, 0 removed, 1 changed" in said
    ((table,),) = (tables,)
    assert table.rows[1] == ("c", "3", "a -> b -> c", "a went from 1 to 2", U)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({U: NEW}, {U: OLD}, []),  # what goes is no finding
        ({U: NEW}, {U: NEW + "\n"}, []),
        ({U: NEW, "x": ""}, {"sub/uv.lock": NEW, "x": ""}, []),  # moved
        ({}, {U: NEW}, ["a first lock: 2 packages in it that nobody asked for by name"]),
        ({U: "?"}, {U: NEW}, ["a first lock: 2 packages in it that nobody asked for by name"]),
        ({U: OLD}, {U: "?"}, []),
        ({U: NEW}, {}, []),
        ({U: OLD}, {U: OLD + uv(("lone", "1", ""))},
         ["lone 1 is new, and nothing in the lock needs it"]),
        ({"Pipfile.lock": '{"default": {}}'},
         {"Pipfile.lock": '{"default": {"a": {"version": "==1"}}}'}, []),
    ],
)  # fmt: skip
def test_what_is_told(base: Tree, head: Tree, expected: list[str]) -> None:
    found, _, _ = look(base, head)
    assert [f.message for f in found] == expected


def test_poetry_asks_in_pyproject() -> None:
    lock = '[[package]]\nname = "a"\nversion = "1"\n[package.dependencies]\nb = "*"\n'
    more = '[[package]]\nname = "b"\nversion = "1"\n'
    project = '[tool.poetry.dependencies]\npython = "3"\na = "1"\n'
    with_b = project + 'b = "1"\n'
    base = {"pyproject.toml": project, "poetry.lock": lock}
    found, _, _ = look(base, {**base, "poetry.lock": lock + more})
    assert [f.message for f in found] == ["b 1 comes in through a -> b; a needs it now"]
    found, _, _ = look(base, {"pyproject.toml": with_b, "poetry.lock": lock + more})
    assert found == ()  # asked for by name
    there = '[[package]]\nname = "a"\nversion = "1"\n'
    before = {"pyproject.toml": "[tool.poetry.dependencies]\n", "poetry.lock": there}
    found, _, _ = look(before, {"pyproject.toml": project, "poetry.lock": lock + more})
    assert [f.message for f in found] == ["b 1 comes in through a -> b; a is asked for by name now"]


def test_many_are_told_in_one_line() -> None:
    names = [f"p{n}" for n in range(30)]
    head = uv(("own", "1", "a"), ("a", "2", " ".join(names)), *((n, "1", "") for n in names))
    found, _, tables = look({U: OLD}, {U: head})
    assert len(found) == closure.NOTES + 1
    assert found[-1].message.startswith("10 more packages that nobody asked for by name")
    assert len(tables[0].rows) == 30


def test_strange_names_and_long_ways_are_shown_safely() -> None:
    names = [f"p{n}" for n in range(40)]
    chain = [(n, "1", other) for n, other in zip(names, [*names[1:], ""], strict=True)]
    found, _, _ = look({U: OLD}, {U: uv(("own", "1", "a"), ("a", "2", "p0"), *chain)})
    assert max(len(f.message) for f in found) < 200
    bad = uv(("own", "1", "a"), ("a", "2", "\\u001b[31mx"), ("\\u001b[31mx", "1", ""))
    found, _, _ = look({U: OLD}, {U: bad})
    assert len(found) == 1 and "\\x1b" in found[0].message


@pytest.mark.skipif(not LOCKS.exists(), reason="the audit data is not at hand")
def test_a_real_change_of_a_lock() -> None:
    base, head = (
        {
            U: gzip.decompress((LOCKS / f"uv.lock-{name}.gz").read_bytes()),
            "pyproject.toml": (LOCKS / f"pyproject.toml-{name}").read_bytes(),
        }
        for name in ("cf7119a7", "e12c4142")
    )
    found, said, _ = look(base, head)
    assert "locked: 18 packages added, 0 removed, 39 changed" in said
    assert len(found) == 18
    rows = head[U].decode().split("\n")
    for finding in found:
        assert rows[finding.location.line - 1] == f'name = "{finding.message.split()[0]}"'
        assert "comes in through lighteval -> inspect-ai" in finding.message
