"""setup.cfg and Pipfile."""

import pytest

from registry.documents import DocumentError
from registry.manifests import read

O = "[options]\n"  # noqa: E741 - as short as the others
X = "[options.extras_require]\n"


def said(kind: str, text: str) -> list[str]:
    found = read(kind, text.encode())
    rows = [
        f"{r.line} {r.group}:{r.name}{r.specifier}{';' if r.marker else ''}"
        for r in found.requirements
    ]
    rows += [f"{o.line} {o.name} {o.value}" for o in found.options]
    return rows + [f"{p.line} ?" for p in found.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (O + "install_requires =\n    torch>=2\n    numpy; python_version<'3'\n",
         ["3 :torch>=2", "4 :numpy;"]),
        (O + "install-requires: torch; numpy\n", ["2 :torch", "2 :numpy"]),
        (O + "install_requires = torch; python_version<'3'\n", ["2 :torch;"]),
        (O + "install_requires =\n    # why\n\n    torch # and this\n", ["5 :torch"]),
        (O + "setup_requires = torch\ntests_require = numpy\n",
         ["2 build:torch", "3 group:tests:numpy"]),
        (O + "install_requires = file: a.txt, b.txt\n",
         ["2 --requirement a.txt", "2 --requirement b.txt"]),
        (O + "install_requires = attr: x.y\n", ["2 ?"]),
        (X + "gpu_x =\n    torch\nall = numpy\n", ["3 extra:gpu_x:torch", "4 extra:all:numpy"]),
        ("[metadata]\nname = Own_It\n" + X + "all = own-it[gpu]\n", []),
        ("[tool:x]\ninstall_requires = torch\n", []),
        (O + "packages = find:\n", []),
        ("\r\n" + O + "install_requires =\r\n  torch\r\n", ["4 :torch"]),
        (O + "install_requires =\n  ???\n  r\u0435quests\n", ["4 :r\u0435quests", "3 ?"]),
    ],
)  # fmt: skip
def test_setup_cfg(text: str, expected: list[str]) -> None:
    assert said("setup-cfg", text) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (O + "a = 1\na = 2\n", 3),
        (O + "neither\n", 2),
        ("\0", 1),
    ],
)
def test_a_setup_cfg_that_is_none(text: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        read("setup-cfg", text.encode())
    assert caught.value.line == line


SOURCE = '[[source]]\nname = "x"\nurl = "https://i"\nverify_ssl = {}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[packages]\ntorch = "==2.0"\nnumpy = "*"\n', ["2 :torch==2.0", "3 :numpy"]),
        ('[dev-packages]\npytest = ">=7"\n', ["2 group:dev:pytest>=7"]),
        ('[docs]\nsphinx = "*"\n', ["2 group:docs:sphinx"]),
        ('[packages]\nx = {version = "==1", markers = "os_name==\'nt\'"}\n', ["2 :x==1;"]),
        (SOURCE.format("true"), ["3 index https://i"]),
        (SOURCE.format("false"), ["3 index https://i", "3 --trusted-host https://i"]),
        ('[requires]\npython_version = "3"\n[scripts]\na = "b"\n', []),
        ("packages = 1\n", ["1 ?"]),
    ],
)
def test_pipfile(text: str, expected: list[str]) -> None:
    assert said("pipfile", text) == expected


def test_a_pipfile_names_where_it_takes_things_from() -> None:
    text = '[packages]\nx = {git = "https://h/x", ref = "main"}\ny = {path = "./y"}\n'
    found = read("pipfile", text.encode()).requirements
    assert [r.url for r in found] == ["git+https://h/x@main", "./y"]


@pytest.mark.parametrize("text", ["[packages\n", "a = 1\na = 2\n", "a = [" * 2_000, "\0"])
def test_a_pipfile_that_is_none(text: str) -> None:
    with pytest.raises(DocumentError):
        read("pipfile", text.encode())
