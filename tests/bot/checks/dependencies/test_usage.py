"""Imports against what is declared: what is missing, what nobody needs, what cannot be read."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.checks.dependencies import Settings, applies, collect, judge, summary, tree, usage, using
from bot.finding import Finding
from tests.fakes import FakeWorld, submodule, symlink

Tree = Mapping[str, "bytes | str"]
P, R, S = "pyproject.toml", "requirements.txt", "src/own/a.py"
RULES = {rule.id for rule in usage.RULES}


def project(*names: str, extra: str = "") -> str:
    wanted = ",\n".join(f'    "{name}"' for name in names)
    return f'[project]\nname = "own"\ndependencies = [\n{wanted}\n]\n{extra}'


def look(base: Tree, head: Tree, *, policy: Any = None, **more: Any) -> tuple[Finding, ...]:
    world, settings = FakeWorld(base, head, **more), Settings(**(policy or {}))
    if applies(world.change(), settings):
        return ()
    evidence = collect(world.change(), world, settings)
    assert summary(evidence).isprintable()
    found = tuple(f for f in judge(evidence, settings) if f.rule in RULES)
    assert all(f.message.isprintable() and f.remedy and not f.counts for f in found)
    return found


def rows(found: tuple[Finding, ...]) -> list[tuple[str, str, str, int]]:
    return [
        (f.rule.partition("/")[2], f.severity.value, f.location.path, f.location.line)
        for f in found
    ]


N = project("numpy>=1")
SETUP = "from setuptools import setup\nsetup(install_requires=['pyyaml'])\n"
UNDECLARED = ("undeclared", "warning", S, 1)
LOCK = (
    '[[package]]\nname = "own"\nsource = { editable = "." }\ndependencies = [{ name = "numpy" }]\n'
    '[[package]]\nname = "numpy"\nversion = "1"\ndependencies = [{ name = "pyyaml" }]\n'
    '[[package]]\nname = "pyyaml"\nversion = "6"\n'
)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        # declared, standard, the project's own, private: no word
        ({}, {P: N, S: "import numpy, os, sys\nfrom __future__ import annotations\n"}, []),
        ({}, {P: N, S: "from own import b\nfrom . import c\nimport numpy.linalg as la\n"}, []),
        ({}, {P: N, S: "import numpy, helper\n", "tools/helper.py": ""}, []),
        ({}, {P: N, S: "import numpy, _private\n"}, []),
        ({P: N}, {P: N, S: "import yaml\n"}, [UNDECLARED]),
        ({P: N}, {P: N, S: "def f():\n    import yaml\n"}, [("undeclared", "warning", S, 2)]),
        # declared wherever the project declares anything
        ({P: N}, {P: N, S: "import yaml\n", R: "PyYAML==6\n"}, []),
        ({P: N}, {P: N, S: "import yaml\n", "docker/requirements.txt": "pyyaml==6\n"}, []),
        ({P: N}, {P: N, S: "import yaml\n", "Dockerfile": "FROM x\nRUN pip install pyyaml==6\n"},
         []),
        ({P: N}, {P: N, S: "import yaml\n", "environment.yml": "dependencies: [pyyaml]\n"}, []),
        ({P: N}, {P: project("numpy", extra='[project.optional-dependencies]\nx = ["pyyaml"]\n'),
                  S: "import yaml\n"}, []),
        ({P: N}, {P: N, "setup.py": SETUP, S: "import yaml\n"}, []),
        # no project that declares anything, nothing to be held against
        ({}, {S: "import yaml\n"}, []),
        ({}, {P: "[tool.x]\n", S: "import yaml\n"}, []),
        # what was there before is no news, nor what moves
        ({P: N, S: "import yaml\n"}, {P: N, S: "import yaml\nx = 1\n"}, []),
        ({P: N, "b.py": "import yaml\n"}, {P: N, S: "import yaml\n"}, []),
        ({P: N, "b.py": "import yaml\n"}, {P: N, S: "import yaml\n", "b.py": "import yaml\n"},
         [("undeclared", "note", S, 1)]),
        # what the code can do without, what users do not install
        ({P: N}, {P: N, S: "try:\n    import yaml\nexcept ImportError:\n    pass\n"},
         [("undeclared", "note", S, 2)]),
        ({P: N}, {P: N, "tests/test_a.py": "import yaml\n"},
         [("undeclared", "note", "tests/test_a.py", 1)]),
        ({P: N}, {P: N, "a_test.py": "import yaml\n"}, [("undeclared", "note", "a_test.py", 1)]),
        # the weightiest of many places
        ({P: N}, {P: N, "a_test.py": "import yaml\n", S: "import yaml\n"}, [UNDECLARED]),
        ({P: N}, {P: N, "third_party/x/a.py": "import yaml\n"}, []),
        # what nobody can parse
        ({P: N}, {P: N, S: "print 'x'\n"}, [("imports-unread", "note", S, 1)]),
        ({P: N, S: "print 'y'\n"}, {P: N, S: "print 'x'\n"}, []),
        ({P: N}, {P: N, S: "import numpy\0"}, [("imports-unread", "note", S, 0)]),
        ({P: N}, {P: N, S: b"\xff\xfeimport numpy"}, [("imports-unread", "note", S, 1)]),
        ({P: N}, {P: N, S: "(" * 5000}, [("imports-unread", "note", S, 1)]),
        ({P: N}, {P: N, S: "#" * 1_000_001}, [("imports-unread", "note", S, 0)]),
        ({P: N}, {P: N, S: ""}, []),
    ],
)  # fmt: skip
def test_imports(base: Tree, head: Tree, expected: list[tuple[str, str, str, int]]) -> None:
    assert rows(look(base, head)) == expected


def test_messages() -> None:
    (found,) = look({P: N}, {P: N, S: "import yaml\n", "b.py": "import yaml\n"})
    assert found.message == (
        "yaml is imported here, and 1 other file, and no declared package provides it"
    )
    assert found.remedy == "Declare pyyaml, or remove the import."
    (found,) = look({P: N, "uv.lock": LOCK}, {P: N, "uv.lock": LOCK, S: "import yaml\n"})
    assert found.message.endswith("it only comes in through numpy -> pyyaml")
    (found,) = look({P: N}, {P: N, S: "import \u202ex\n".replace("\u202e", "\u0430")})
    assert found.message.startswith("\u0430x is imported")


def test_links_and_submodules_are_not_read() -> None:
    head = {P: N, S: "../../etc/passwd"}
    assert look({P: N}, head, modes=symlink(S)) == ()
    head = {P: N, S: "import lib_x\n", "deps/lib_x": "0"}
    assert look({P: N}, head, modes=submodule("deps/lib_x")) == ()
    assert rows(look({P: N}, {P: N, S: "import yaml\n"}, missing=(S,))) == [
        ("imports-unread", "note", S, 0)
    ]


def test_installed_packages_tell_what_they_provide(tmp_path: Path) -> None:
    place = tmp_path / ".venv/lib/python3.11/site-packages/odd_name-1.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Name: odd-name\nVersion: 1\n")
    (place / "top_level.txt").write_text("strange\n")
    base, head = {P: project("odd-name")}, {P: project("odd-name"), S: "import strange\n"}
    assert rows(look(base, head)) == [("undeclared", "warning", S, 1)]
    assert look(base, head, root=tmp_path) == ()
    # an environment that the change itself could hold proves nothing
    held = {".venv/lib/x.txt": ""}
    assert rows(look(base | held, head | held, root=tmp_path)) == [UNDECLARED]


A = "import numpy\n"
UNUSED = ("unused", "warning", P, 5)
RICH = project("numpy>=1", "pandas>=1")


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({P: N, S: A}, {P: RICH, S: A}, [UNUSED]),
        ({P: N, S: A}, {P: RICH, S: A + "import pandas\n"}, []),
        ({P: N, S: A, "far/b.py": "from pandas.x import y"},
         {P: RICH, S: A, "far/b.py": "from pandas.x import y"}, []),
        ({P: N, S: A, "n.ipynb": '["import pandas as pd\\n"]'},
         {P: RICH, S: A, "n.ipynb": '["import pandas as pd\\n"]'}, []),
        ({P: N, S: A, "b.py": "x = import_module('pandas')"},
         {P: RICH, S: A, "b.py": "x = import_module('pandas')"}, []),
        # some setting or script names it
        ({P: N, S: A, "x.yaml": "engine: pandas"}, {P: RICH, S: A, "x.yaml": "engine: pandas"}, []),
        ({P: N, S: A, "Makefile": "\tpandas run"}, {P: RICH, S: A, "Makefile": "\tpandas run"}, []),
        # what others' code in the repository imports is not for the project
        ({P: N, S: A, "vendor/b.py": "import pandas"},
         {P: RICH, S: A, "vendor/b.py": "import pandas"}, [UNUSED]),
        # no code here that could import anything
        ({P: N}, {P: RICH}, []),
        ({P: N, "setup.py": "x = 1"}, {P: RICH, "setup.py": "x = 1"}, []),
        # plugins, tools, stubs, what others load; groups and extras
        ({P: N, S: A}, {P: project("numpy>=1", "pytest-xdist", "types-x", "ruff", "hf-transfer"),
                        S: A}, []),
        ({P: N, S: A}, {P: N + '[dependency-groups]\ndev = ["pandas"]\n', S: A}, []),
        ({P: N, S: A}, {P: N + '[project.optional-dependencies]\nx = ["pandas"]\n', S: A}, []),
        # requirements that are needed whole, and those that are not
        ({S: A, R: "numpy"}, {S: A, R: "numpy\npandas"}, [("unused", "warning", R, 2)]),
        ({S: A}, {S: A, "requirements/base.txt": "pandas"},  []),
        ({S: A}, {S: A, "requirements-dev.txt": "pandas"}, []),
        ({S: A}, {S: A, "examples/requirements.txt": "pandas"}, []),
        ({S: A, "requirements.in": "numpy"}, {S: A, "requirements.in": "numpy", R: "pandas==1"},
         []),
        ({S: A}, {S: A, R: "\n".join(f"pandas{n}==1" for n in range(20))}, []),
        ({S: A}, {S: A, R: "pandas==1 --hash=sha256:" + "0" * 64}, []),
        ({S: A, P: N}, {S: A, P: N, "uv.lock": LOCK}, []),
        # moved from one file to another
        ({S: A, P: RICH}, {S: A, P: N, R: "pandas>=1"}, []),
        # the last import goes, or not the last
        ({P: RICH, S: A + "import pandas\n"}, {P: RICH, S: A}, [("unused", "note", P, 5)]),
        ({P: RICH, S: A + "import pandas\n", "b.py": "import pandas"},
         {P: RICH, S: A, "b.py": "import pandas"}, []),
        ({P: RICH, S: A + "import pandas\n"}, {P: N, S: A}, []),
        ({P: RICH, "b.py": "import pandas", S: A}, {P: RICH, S: A}, [("unused", "note", P, 5)]),
    ],
)  # fmt: skip
def test_unused(base: Tree, head: Tree, expected: list[tuple[str, str, str, int]]) -> None:
    assert rows(look(base, head)) == expected


def test_what_was_not_looked_at_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILES", 1)
    many = {P: N, S: A, "b.py": "", "c.py": ""}
    (found,) = look(many, {**many, P: RICH})
    assert found.message == "imports were not wholly looked at: more than 1 files of Python"
    monkeypatch.setattr(tree, "MAX_FILES", 4_000)
    monkeypatch.setattr(tree, "SECONDS", -1)
    (found,) = look(many, {**many, P: RICH})
    assert found.severity.value == "note" and "took" in found.message


def test_a_flood_of_code_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(using, "MAX_CHANGED", 2)
    head = {P: N, **{f"m{n}.py": f"import x{n}_\n" for n in range(5)}}
    found = look({P: N}, head)
    assert len(found) == 3 and "more than 2 changed files" in found[-1].message
    monkeypatch.setattr(using, "MAX_BYTES", 10)
    assert "bytes of changed Python" in look({P: N}, head)[-1].message


def test_a_flood_of_names_is_bounded() -> None:
    wide = "".join(f"import zz{n}\n" for n in range(5_000))
    names = project(*(f"qq{n}" for n in range(2_000)))
    start = time.process_time()
    found = look({P: N, "b.py": wide.replace("zz", "yy")}, {P: names, S: wide})
    assert time.process_time() - start < 5
    assert "more than 150 new imports" in found[-1].message


def test_many_are_told_in_one_line() -> None:
    head = {P: N, S: "".join(f"import zz{n}\n" for n in range(30))}
    found = look({P: N}, head)
    assert len(found) == usage.MOST + 1
    assert found[-1].message == "10 more like this"


def test_it_can_be_switched_off() -> None:
    head = {P: N, S: "import yaml\n"}
    assert look({P: N}, head, policy={"imports": "off"}) == ()
    assert applies(FakeWorld({P: N}, head).change(), Settings(imports="off"))


def test_only_what_is_near_is_read_where_it_answers() -> None:
    base = {P: N, "far/requirements.txt": "x==1\n", "far/b.py": "import y\n"}
    world = FakeWorld(base, {**base, S: A})
    collect(world.change(), world, Settings())
    read = {blob for _, blob in world.made}
    there = world.trees["a" * 40]
    assert there["far/requirements.txt"].blob not in read
    assert there["far/b.py"].blob not in read
    assert there[S].blob in read
