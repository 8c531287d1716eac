"""requirements.txt: what pip would install, line by line."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.manifests import DocumentError, Option, pip, read

WHEEL = "https://h/a_b-1-py3-none-any.whl"
ZIP = "https://h/a.zip#sha256=00&egg=a"
FOLDER = "sub/folder ; python_version<'3'"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def one(text: str) -> tuple[object, ...]:
    (r,) = read("requirements", text.encode()).requirements
    return r.name, r.specifier, r.extras, r.marker, r.url, r.hashed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("torch", ("torch", "", (), "", "", False)),
        ("Torch_Audio==2.1", ("torch-audio", "==2.1", (), "", "", False)),
        ("a >=1 , <2 # why", ("a", "<2,>=1", (), "", "", False)),
        ("a[X,b_c]==1", ("a", "==1", ("b-c", "x"), "", "", False)),
        ("a==1;python_version<'3.9'", ("a", "==1", (), 'python_version < "3.9"', "", False)),
        ("a==1 --hash=sha256:00", ("a", "==1", (), "", "", True)),
        ("a==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01", ("a", "==1", (), "", "", True)),
        ("a\\\n==1", ("a", "==1", (), "", "", False)),
        ("a @ https://h/a.zip", ("a", "", (), "", "https://h/a.zip", False)),
        (WHEEL, ("a-b", "", (), "", WHEEL, False)),
        (ZIP, ("a", "", (), "", ZIP, True)),
        ("-e .", ("", "", (), "", ".", False)),
        ("-e git+https://h/x@main#egg=x", ("x", "", (), "", "git+https://h/x@main#egg=x", False)),
        ("./dist/x.whl", ("", "", (), "", "./dist/x.whl", False)),
        (FOLDER, ("", "", (), "python_version<'3'", "sub/folder", False)),
        ("a==1.0-odd.version", ("a", "==1.0-odd.version", (), "", "", False)),
        ("a (==0.1-bulbasaur)", ("a", "==0.1-bulbasaur", (), "", "", False)),
        ("r\u0435quests==1", ("r\u0435quests", "==1", (), "", "", False)),
    ],
)  # fmt: skip
def test_a_requirement(text: str, expected: tuple[object, ...]) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--index-url https://e", ("--index-url", "https://e")),
        ("--index-url=https://e", ("--index-url", "https://e")),
        ("-i https://e", ("--index-url", "https://e")),
        ("-ihttps://e", ("--index-url", "https://e")),
        ("--pypi-url https://e", ("--index-url", "https://e")),
        ("--extra https://e", ("--extra-index-url", "https://e")),
        ("--trusted h", ("--trusted-host", "h")),
        ("-f ./wheels", ("--find-links", "./wheels")),
        ("-r other.txt  # also", ("--requirement", "other.txt")),
        ("-c 'with space.txt'", ("--constraint", "with space.txt")),
        ("--require-hashes", ("--require-hashes", "")),
    ],
)
def test_an_option(text: str, expected: tuple[str, str]) -> None:
    manifest = read("requirements", text.encode())
    assert manifest.options == (Option(*expected, 1),)
    assert not manifest.requirements
    assert not manifest.problems


def test_lines_are_those_an_editor_shows() -> None:
    # pip also breaks at a form feed and at U+2028; no editor counts those as lines.
    text = "# c\r\na==1\r\nb==1 \\\r\n  # in between\r\nc==1\x0cd==1\ne==1\u2028f==1\n\ng==1"
    found = {r.name: r.line for r in read("requirements", text.encode()).requirements}
    assert found == {"a": 2, "b": 3, "c": 5, "d": 5, "e": 6, "f": 6, "g": 8}


def test_a_comment_hides_nothing_after_a_separator() -> None:
    manifest = read("requirements", "a==1 # fine\u2028evil\n".encode())
    assert [r.name for r in manifest.requirements] == ["a", "evil"]


@pytest.mark.parametrize(
    "line",
    [
        "???",
        "a b",
        "--unknown=x",
        "a==1 --hash='x",
        "a>1,junk",
        "x" * 5000,
        "a\u200bb==1",
        "--re",
        "a==${V}",
        "${A}==1",
        "a[${X}]==1",
    ],
)
def test_a_line_that_says_nothing_clear_is_a_problem(line: str) -> None:
    manifest = read("requirements", f"ok==1\n{line}\n".encode())
    assert [r.name for r in manifest.requirements] == ["ok"]
    assert [p.line for p in manifest.problems] == [2]


@pytest.mark.parametrize(
    "data",
    [
        "a==1".encode("utf-16"),
        b"a\x00b",
        b"\xff",
        b"# -*- coding: utf-7 -*-\na==1",
        b"# x\n# vim: set fileencoding=latin-1 :\na==1",
        b"a\n" * 20_001,
        b"a\\\n" * 1_100_000,
    ],
)
def test_refused_files(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read("requirements", data)


def test_a_bom_and_a_harmless_coding_line_are_accepted() -> None:
    manifest = read("requirements", b"\xef\xbb\xbf# coding: utf-8\na==1\n")
    assert [(r.name, r.line) for r in manifest.requirements] == [("a", 2)]


@pytest.mark.parametrize(
    ("url", "vcs", "local", "commit"),
    [
        (f"git+https://h/x@{COMMIT}", True, False, COMMIT),
        (f"git+https://h/x@{COMMIT}#egg=x", True, False, COMMIT),
        (f"git+https://h/x#{COMMIT}", True, False, ""),
        ("git+https://h/x@v1.0", True, False, ""),
        (f"git+https://h/x@{COMMIT[:12]}", True, False, ""),
        (f"git+https://{COMMIT}@h/x", True, False, ""),
        (f"https://h/x@{COMMIT}", False, False, ""),
        ("hg+ssh://h/x", True, False, ""),
        ("file:///x", False, True, ""),
        ("../x", False, True, ""),
    ],
)
def test_places(url: str, vcs: bool, local: bool, commit: str) -> None:
    text = f"name @ {url}" if "://" in url else url
    (r,) = read("requirements", text.encode()).requirements
    assert (r.is_vcs, r.is_local, r.commit) == (vcs, local, commit)


@given(st.text(alphabet="-a=:# \t\r\n\f\x1c\x85\"'\\"))
def test_options_are_parted_as_a_shell_parts_them(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        return
    assert pip._split(text) == expected
