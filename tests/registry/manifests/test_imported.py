"""What Python code imports, from its tree and line by line; and who provides a module."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.manifests.imported import LIMIT, Import, read_imports, scan
from registry.manifests.provided import (
    installed,
    is_needed_unseen,
    is_standard,
    providers,
    provides,
)

Row = tuple[str, int, bool]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a\n", [("a", 1, False)]),
        ("import a.b.c as d, e\n", [("a", 1, False), ("e", 1, False)]),
        ("from a.b import c\n", [("a", 1, False)]),
        ("from . import a\nfrom .b import c\nfrom ..d import e\n", []),
        ("def f():\n    import a\n", [("a", 2, False)]),
        ("x = 1; import a\n", [("a", 1, False)]),
        ("if x:\n    import a\nelse:\n    import b\n", [("a", 2, False), ("b", 4, False)]),
        ("'''\nimport a\n'''\n# import b\n", []),
        # what the code can do without
        ("try:\n    import a\nexcept ImportError:\n    a = None\n", [("a", 2, True)]),
        ("try:\n    import a\nexcept (OSError, ImportError):\n    import b\n",
         [("a", 2, True), ("b", 4, True)]),
        ("try:\n    import a\nexcept:\n    pass\n", [("a", 2, True)]),
        ("try:\n    import a\nexcept ValueError:\n    pass\n", [("a", 2, False)]),
        ("try:\n    x()\nfinally:\n    import a\n", [("a", 4, False)]),
        ("if TYPE_CHECKING:\n    import a\n", [("a", 2, True)]),
        ("if typing.TYPE_CHECKING:\n    import a\n", [("a", 2, True)]),
        ("if is_a_available():\n    import a\n", [("a", 2, True)]),
        ("if x and not is_a_available():\n    import a\n", [("a", 2, True)]),
        ("with suppress(ImportError):\n    import a\n", [("a", 2, True)]),
        ("with open(f):\n    import a\n", [("a", 2, False)]),
        ("a = importlib.import_module('a.b')\n", [("a", 1, True)]),
        ("a = pytest.importorskip('a')\n", [("a", 1, True)]),
        ("a = import_module(name)\nb = import_module('not a name')\n", []),
        # one import that has to succeed is enough
        ("try:\n    import a\nexcept ImportError:\n    pass\nimport a\n", [("a", 5, False)]),
        ("import a\nif TYPE_CHECKING:\n    import a\n", [("a", 1, False)]),
        ("import \u0430\n", [("\u0430", 1, False)]),
        ("", []),
    ],
)  # fmt: skip
def test_imports(text: str, expected: list[Row]) -> None:
    assert read_imports(text.encode()).found == tuple(Import(*row) for row in expected)


@pytest.mark.parametrize(
    ("data", "trouble", "line"),
    [
        (b"import a\nprint 'x'\n", "not Python", 2),
        (b"import {{ name }}\n", "not Python", 1),
        (b"\xff\xfei\0m\0", "not Python", 0),
        (b"import a\0\n", "not Python", 0),
        (b"(" * 5_000, "not Python", 0),
        (b"x = " + b"-" * 200_000 + b"1", "not Python", 0),
        (b"#" * (LIMIT + 1), "more than", 0),
        (b"x = [" + b"a," * 100_000 + b"]\n", "", 0),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "not Python", 1),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, trouble: str, line: int) -> None:
    found = read_imports(data)
    assert found.found == ()
    assert trouble in found.trouble
    assert bool(found.trouble) is bool(trouble)
    assert not line or found.line == line


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"import a\n  import b.c as d, e\nfrom f.g import h\n", "abef"),
        (b"import a, \\\n    b\n", "ab"),
        (b"from . import a\nfrom .b import c\n", ""),
        (b"if x: import a\nx = 1; import b\n", "ab"),
        (b'"source": [\n "import a\\n",\n "from b import c"\n]', "ab"),
        (b'["import a, b\\n","from c import d"]', "abc"),
        (b'{"source": "import a\\nimport b\\n\\nfrom c import d"}', "abc"),
        (b"x = import_module('a.b')\ny = find_spec(\"b\")\nz = importorskip( 'c')\n", "abc"),
        (b"from a import (\n    b,\n)\n", "a"),
        (b"# import a\nimported = 1\nfromage import\n", ""),
        (b"import 1\nimport\nfrom import x\n\xff import a\n", ""),
        (b"import a\r\nimport b\r\n", "ab"),
        (b"    >>> import a\n", ""),
    ],
)
def test_scan(data: bytes, expected: str) -> None:
    assert "".join(scan(data)) == expected


NAME = st.sampled_from(["numpy", "os", "a_b", "torch.nn", "x1"])


@given(st.lists(st.tuples(NAME, st.sampled_from(["import {}", "from {} import x", " "]))))
def test_the_scan_misses_nothing_that_the_tree_finds(rows: list[tuple[str, str]]) -> None:
    data = "\n".join(form.format(name) for name, form in rows if form.strip()).encode()
    assert {i.name for i in read_imports(data).found} == set(scan(data))


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert all(name.isidentifier() for name in scan(data))
    read_imports(data)


@pytest.mark.parametrize(
    "data",
    [
        b"import " + b"a," * 400_000,
        b"import" + b" " * 900_000,
        b" " * 900_000,
        b"from " * 200_000,
        (b"from " + b"a." * 40 + b" import\n") * 10_000,
        b"import_module(" * 70_000,
    ],
)
def test_hostile_lines_cannot_slow_the_scan(data: bytes) -> None:
    start = time.process_time()
    scan(data)
    assert time.process_time() - start < 0.5


def test_the_tree_and_the_scan_agree_on_this_repository() -> None:
    root = Path(__file__).parents[3]
    for path in sorted((root / "registry/manifests").glob("*.py")):
        data = path.read_bytes()
        assert {i.name for i in read_imports(data).found} <= set(scan(data)), path


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [
        ("numpy", "numpy", True),
        ("pyyaml", "yaml", True),
        ("opencv-python-headless", "cv2", True),
        ("scikit-learn", "sklearn", True),
        ("pillow", "PIL", True),
        ("flash-attn", "flash_attn", True),
        ("typing-extensions", "typing_extensions", True),
        ("python-dotenv", "dotenv", True),
        ("google-cloud-storage", "google", True),
        ("opentelemetry-sdk", "opentelemetry", True),
        ("tensorflow-cpu", "tensorflow", True),
        ("mysql-python", "mysql", True),
        ("pyserial", "serial", True),
        ("types-pyyaml", "yaml", False),
        ("pandas-stubs", "pandas", False),
        ("numpy", "yaml", False),
        ("torch", "torchvision", False),
        ("torchvision", "torch", False),
        ("requests", "request", False),
        ("python-dateutil", "___", False),
        ("a", "", False),
    ],
)
def test_who_provides_a_module(name: str, module: str, expected: bool) -> None:
    assert provides(name, module) is expected


def test_tables() -> None:
    assert providers("yaml") == ("pyyaml",)
    assert providers("no_such_module") == ()
    assert is_standard("os") and is_standard("distutils") and is_standard("tomllib")
    assert not is_standard("numpy")
    for name in ("pytest", "types-requests", "pytest-xdist", "ruff", "sentencepiece", "x-stubs"):
        assert is_needed_unseen(name), name
    for name in ("numpy", "torch", "requests", "transformers"):
        assert not is_needed_unseen(name), name


def test_installed_distributions_tell_their_modules(tmp_path: Path) -> None:
    listed = tmp_path / "Some_Thing-1.dist-info"
    listed.mkdir()
    (listed / "METADATA").write_text("Name: Some.Thing\nVersion: 1\n")
    (listed / "RECORD").write_text("thing/__init__.py,,\nother.py,,\n../../bin/x,,\nREADME,,\n")
    told = tmp_path / "told-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Name: told\nVersion: 1\n")
    (told / "top_level.txt").write_text("one\ntwo\n")
    (tmp_path / "thing").mkdir()
    # Where importlib_metadata was imported, only files that are there are told.
    (tmp_path / "thing/__init__.py").write_text("")
    (tmp_path / "other.py").write_text("")
    assert installed([tmp_path], "some-thing") == {"thing", "other"}
    assert installed([tmp_path], "told") == {"one", "two"}
    assert installed([tmp_path], "absent") == frozenset()
    assert installed([], "told") == frozenset()
    assert installed([tmp_path / "nowhere"], "told") == frozenset()
