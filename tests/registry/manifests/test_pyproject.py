"""pyproject.toml: every table that asks for packages, each requirement on its line."""

import pytest

from registry.manifests import DocumentError, Problem, Requirement, read

ELSEWHERE = """\
[build-system]
requires = ["own"]
[project]
name = "own"
[tool.poetry.requires-plugins]
plugin = "^1"
[tool.pdm]
dev-dependencies = {test = ["d"]}
source = [{url = "https://pdm"}]
[tool.hatch.envs.test]
dependencies = ["h"]
extra-dependencies = ["i"]
[tool.uv.pip]
extra-index-url = ["https://uv"]
[tool.setuptools.dynamic]
dependencies = {file = "deps.txt"}
"""


def test_tables_of_tools_are_read_too() -> None:
    found = read("pyproject", ELSEWHERE.encode())
    assert not found.problems
    # A build takes even a package of the project's own name from the index.
    assert {r.raw for r in found.requirements} == {"own", "plugin", "d", "h", "i"}
    assert {(o.name, o.value) for o in found.options} == {
        ("index", "https://pdm"),
        ("--extra-index-url", "https://uv"),
        ("--requirement", "deps.txt"),
    }


def test_uv_toml() -> None:
    found = read("uv-config", b'index-url = "https://uv"\n[[index]]\nurl = "https://two"')
    assert [(o.name, o.value) for o in found.options] == [
        ("--index-url", "https://uv"), ("index", "https://two"),
    ]  # fmt: skip


TEXT = """\
[build-system]
requires = ["setuptools>=77"]

[project]
name = "Own.Name"
dependencies = [
  "a>=1", 'b[x]<2', # don't "c==9"
  "c==1 ; python_version < '3'",
]

[project.optional-dependencies]
fast = [
  "a>=1",
  "own-name[slow]",
]
"odd key" = ["d"]

[dependency-groups]
dev = ["e", {include-group = "test"}, {include-group = "lost"}]
test = ["f"]

[tool.poetry.dependencies]
python = "^3.11"
g = "^1"
h = { git = "https://h/h", branch = "main" }
i = [{ version = "1.2", python = "<3" }, { version = "*", markers = "os_name == 'nt'" }]

[tool.poetry.group.docs.dependencies]
j = { url = "https://h/j.zip" }

[[tool.poetry.source]]
name = "own"
url = "https://poetry.example"

[tool.uv]
extra-index-url = ["https://uv.example"]
override-dependencies = ["k==1"]

[[tool.uv.index]]
name = "pt"
url = "https://pt.example"

[tool.uv.sources]
l = { git = "https://h/l", rev = "0123456789abcdef0123456789abcdef01234567" }
m = { index = "pt" }
"""


def row(r: Requirement) -> tuple[object, ...]:
    return r.name, r.line, r.specifier or r.url or r.extras, r.group


def test_every_table() -> None:
    manifest = read("pyproject", TEXT.encode())
    assert [row(r) for r in manifest.requirements] == [
        ("a", 7, ">=1", ""),
        ("b", 7, "<2", ""),
        ("c", 8, "==1", ""),
        ("a", 13, ">=1", "extra:fast"),
        ("d", 16, (), "extra:odd key"),
        ("e", 19, (), "group:dev"),
        ("f", 20, (), "group:test"),
        ("setuptools", 2, ">=77", "build"),
        ("g", 24, "^1", ""),
        ("h", 25, "git+https://h/h@main", ""),
        ("i", 26, "==1.2", ""),
        ("i", 26, (), ""),
        ("j", 29, "https://h/j.zip", "group:docs"),
        ("k", 37, "==1", "group:uv.override-dependencies"),
        ("l", 44, "git+https://h/l@0123456789abcdef0123456789abcdef01234567", ""),
    ]
    assert [(o.name, o.value, o.line) for o in manifest.options] == [
        ("index", "https://poetry.example", 33),
        ("--extra-index-url", "https://uv.example", 36),
        ("index", "https://pt.example", 41),
        ("source", "m=pt", 45),
    ]
    assert manifest.problems == (Problem("includes the group 'lost', which is not there", 19),)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[project]\ndependencies = ['ok', 5]", 2),
        ("[project.optional-dependencies]\nx = 'a'", 2),
        ("[dependency-groups]\nx = {a = 1}", 2),
        ("[project]\ndependencies = [\n'ok',\n'???']", 4),
    ],
)
def test_a_wrong_shape_is_a_problem_on_its_line(text: str, line: int) -> None:
    assert [p.line for p in read("pyproject", text.encode()).problems] == [line]


@pytest.mark.parametrize(
    "data",
    [
        b"[project",
        b"a = 1\na = 2",
        "a = 1".encode("utf-16"),
        b"a = '\x00'",
        b"a = " + b"[" * 5000 + b"]" * 5000,
        b"a = " + b"9" * 10_000,
        b"[project]\ndependencies = [" + b"'a'," * 20_001 + b"]",
    ],
)
def test_refused_documents(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read("pyproject", data)


@pytest.mark.parametrize(
    ("specifier", "version", "ceiling", "floor"),
    [
        ("==1", "1", True, True),
        ("===1-odd", "1-odd", True, True),
        ("==1.*", "", True, True),
        ("==1,!=2", "1", True, True),
        ("~=1.2", "", True, True),
        (">=1", "", False, True),
        ("<2", "", True, False),
        ("^1", "", True, True),
        ("!=3", "", False, False),
        ("", "", False, False),
    ],
)
def test_bounds(specifier: str, version: str, ceiling: bool, floor: bool) -> None:
    found = Requirement("a", "a", 1, specifier)
    assert (found.version, found.has_ceiling, found.has_floor) == (version, ceiling, floor)
