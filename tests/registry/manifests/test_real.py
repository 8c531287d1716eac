"""Locks and histories of public projects, against a reader that shares nothing with ours."""

import ast
import gzip
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import histories
from registry.manifests import read

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


@pytest.mark.parametrize("name", ["llama-factory", "datatrove"])
def test_the_difference_of_every_real_commit(name: str) -> None:
    # The other readers, and how each kind of file was checked: benchmarks/histories.py
    known = histories.goldens()
    commits = histories.commits(DATA / f"histories/{name}.jsonl.gz")
    assert len(commits) == {"llama-factory": 288, "datatrove": 24}[name]
    found = [histories.outcome(commit, rows, known) for commit, rows in commits.items()]
    assert [o for o in found if not o.exact] == []


def tables_of_transformers(text: str) -> dict[str, list[str]]:
    """The extras of its setup.py by cutting: each line that sets one, from names to texts."""
    listed = ast.literal_eval(text[text.index("_deps = [") + 8 : text.index("]\n\n\n# this")] + "]")
    by_name = {re.split("[!=<>~ ]", one)[0]: one for one in listed}
    extras: dict[str, list[str]] = {}
    pattern = r"^( *)extras\[\"([\w-]+)\"\] = (.+?)(?=^[^\s)]|^ +extras\[[^\]]+\] =|\Z|^else|^#)"
    for indent, name, right in re.findall(pattern, text, re.MULTILINE | re.DOTALL):
        right = re.sub(r"#[^\n]*", "", right)
        found: list[str] = []
        for extra, call, plain in re.findall(
            r'extras\["([\w-]+)"\]|deps_list\(([^)]*)\)|\[((?:"[^"]+"(?:, )?)+)\]', right
        ):
            found += extras.get(extra, [])
            found += [by_name[n] for n in re.findall(r'"([^"]+)"', call)]
            found += re.findall(r'"([^"]+)"', plain)
        extras[name] = [*(extras.get(name, []) if indent else []), *found]
    return extras


def test_the_setup_file_of_transformers() -> None:
    path = DATA / "locks/transformers/setup.py.txt"
    manifest = read("setup-py", path.read_bytes())
    assert not manifest.problems
    expected = {
        (f"extra:{extra}", canonicalize_name(r.name), str(r.specifier))
        for extra, listed in tables_of_transformers(path.read_text()).items()
        for r in map(Requirement, listed)
    }
    found = {(r.group, r.name, r.specifier) for r in manifest.requirements if r.group}
    assert len(found) > 400
    assert found == expected
    wanted = "filelock huggingface-hub numpy packaging pyyaml regex requests tokenizers safetensors"
    plain = [r for r in manifest.requirements if not r.group]
    assert [r.name for r in plain] == [*wanted.split(), "tqdm"]
    lines = path.read_text().split("\n")
    assert all(f'"{r.raw}' in lines[r.line - 1] for r in manifest.requirements)


def test_the_includes_of_llama_cpp() -> None:
    found = read("requirements", (DATA / "locks/llama.cpp/requirements-all.txt").read_bytes())
    assert [o.name for o in found.options] == ["--requirement"] * 14
    assert not found.requirements
    assert not found.problems
