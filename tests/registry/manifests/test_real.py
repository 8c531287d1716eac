"""Locks and histories of public projects, against a reader that shares nothing with ours."""

import gzip
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from registry.manifests import Manifest, kind_of, read
from registry.manifests.difference import Placed, difference

DATA = Path(__file__).parents[4] / "shared/data/audit"
LOCKS = sorted(DATA.glob("locks/datatrove/uv.lock-*.gz"))
TEXTS = [p for p in sorted(DATA.glob("locks/*/*")) if "pyproject" in p.name or p.suffix == ".txt"]
TEXTS = [p for p in TEXTS if ".py" not in p.name or "pyproject" in p.name]
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the audit data is not at hand")


@pytest.mark.parametrize("path", LOCKS, ids=lambda p: p.name)
def test_every_locked_package_is_read_on_its_line(path: Path) -> None:
    data = gzip.decompress(path.read_bytes())
    manifest = read("uv-lock", data)
    lines = data.decode().split("\n")
    expected = [(p["name"], p["version"]) for p in tomllib.loads(data.decode())["package"]]
    found = [(r.name, r.version) for r in manifest.requirements]
    assert found == expected
    assert all(lines[r.line - 1] == f'name = "{r.raw}"' for r in manifest.requirements)
    assert [r.name for r in manifest.requirements if not r.hashed] == ["datatrove"]


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_every_requirement_stands_on_its_line(path: Path) -> None:
    data = path.read_bytes()
    manifest = read("pyproject" if "pyproject" in path.name else "requirements", data)
    lines = data.decode().split("\n")
    assert manifest.requirements or manifest.options
    assert not manifest.problems
    assert all(r.raw in lines[r.line - 1] for r in manifest.requirements)


def plain_requirements(path: str, text: str) -> Iterator[tuple[str, str]]:
    """(group, requirement) the naive way."""
    if path.endswith(".toml"):
        document: dict[str, Any] = tomllib.loads(text)
        project = document.get("project", {})
        yield from (("", r) for r in project.get("dependencies", ()))
        for extra, listed in project.get("optional-dependencies", {}).items():
            yield from ((f"extra:{extra}", r) for r in listed)
        for group, listed in document.get("dependency-groups", {}).items():
            yield from ((f"group:{group}", r) for r in listed if isinstance(r, str))
        yield from (("build", r) for r in document.get("build-system", {}).get("requires", ()))
        for key in ("override-dependencies", "constraint-dependencies", "dev-dependencies"):
            listed = document.get("tool", {}).get("uv", {}).get(key, ())
            yield from ((f"group:uv.{key}", r) for r in listed)
    else:
        lines = (line.split(" #")[0].strip() for line in text.splitlines())
        yield from (("", line) for line in lines if line and line[0] not in "#-")


def naive(path: str, text: str | None) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for group, line in plain_requirements(path, text or ""):
        r = Requirement(line)
        name = canonicalize_name(r.name)
        if path.endswith(".toml") and name == tomllib.loads(text or "").get("project", {}).get(
            "name"
        ):
            continue
        marker, url = str(r.marker or ""), r.url or ""
        found[group, name, str(r.specifier), ",".join(sorted(r.extras)), marker, url] += 1
    return found


def ours(placed: Placed | None) -> tuple[str, ...]:
    assert placed is not None
    r = placed.requirement
    return r.group, r.name, r.specifier, ",".join(r.extras), r.marker, r.url


def commits(name: str) -> dict[str, list[dict[str, Any]]]:
    path, found = DATA / f"histories/{name}.jsonl.gz", dict[str, list[dict[str, Any]]]()
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        if kind_of(row["path"]) in ("requirements", "pyproject"):
            found.setdefault(row["commit"], []).append(row)
    return found


@pytest.mark.parametrize(("name", "at_least"), [("llama-factory", 150), ("datatrove", 15)])
def test_the_difference_of_every_real_commit(name: str, at_least: int) -> None:
    wrong, found = [], commits(name)
    for commit, rows in found.items():
        sides: list[list[tuple[str, Manifest]]] = []
        totals: list[Counter[tuple[str, ...]]] = []
        for side in ("before", "after"):
            texts = [(r["path"], r[side]) for r in rows if r[side] is not None]
            sides.append([(p, read(kind_of(p) or "", t.encode())) for p, t in texts])
            totals.append(sum((naive(p, t) for p, t in texts), Counter[tuple[str, ...]]()))
        deltas = difference(*sides)
        added = Counter(ours(d.after) for d in deltas if d.after)
        removed = Counter(ours(d.before) for d in deltas if d.before)
        if (added, removed) != (totals[1] - totals[0], totals[0] - totals[1]):
            wrong.append(commit)
    assert len(found) >= at_least
    assert wrong == []
