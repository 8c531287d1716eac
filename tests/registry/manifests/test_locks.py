"""Lock files: one package, one version, from one place, on its line."""

import pytest

from registry.manifests import DocumentError, Option, Requirement, read

COMMIT = "0123456789abcdef0123456789abcdef01234567"

UV = f"""\
version = 1

[[package]]
name = "a"
version = "1"
source = {{ registry = "https://i/simple" }}
sdist = {{ url = "https://u:p@F/a.tar.gz", hash = "sha256:0" }}
wheels = [
    {{ url = "https://f/a.whl", hash = "sha256:0" }},
]

[[package]]
version = "2"
name = "b"
source = {{ git = "https://g/b?rev=main#{COMMIT}" }}

[[package]]
name = "c"
source = {{ editable = "." }}

[[package]]
name = "d"
version = "1"
source = {{ registry = "https://i/simple" }}
wheels = [{{ url = "https://evil/d.whl" }}]
"""
POETRY = f"""\
[[package]]
name = "a"
version = "1"
files = [
    {{file = "a.whl", hash = "sha256:0"}},
]

[package.dependencies]
name = "zz"

[[package]]
name = "b"
version = "2"

[package.source]
type = "git"
url = "https://g/b"
reference = "main"
resolved_reference = "{COMMIT}"

[[package]]
name = "d"
version = "1"
files = []

[package.source]
type = "legacy"
url = "https://i/simple"

[metadata]
lock-version = "2.0"
"""
PYLOCK = f"""\
lock-version = "1.0"

[[packages]]
name = "a"
version = "1"
index = "https://i/simple"
wheels = [{{name = "a.whl", url = "https://f/a.whl", hashes = {{sha256 = "0"}}}}]

[[packages]]
name = "b"
vcs = {{type = "git", url = "https://g/b", commit-id = "{COMMIT}"}}

[[packages]]
name = "c"
directory = {{path = "."}}

[[packages]]
name = "d"
archive = {{url = "https://f/d.zip"}}
"""
PIPFILE = f"""\
{{
  "_meta": {{"sources": [
    {{"name": "x", "url": "https://i/simple", "verify_ssl": false}}
  ]}},
  "default": {{
    "a": {{"hashes": ["sha256:0"], "version": "==1"}},
    "b": {{"git": "https://g/b", "ref": "{COMMIT}"}}
  }},
  "develop": {{
    "a": {{"version": "==2"}}
  }}
}}
"""


def row(r: Requirement) -> tuple[object, ...]:
    return r.name, r.line, r.version, r.url, r.hashed


GIT = f"git+https://g/b@{COMMIT}"


@pytest.mark.parametrize(
    ("kind", "text", "rows", "options"),
    [
        (
            "uv-lock",
            UV,
            [("a", 4, "1", "", True), ("b", 14, "2", GIT, False), ("c", 18, "", ".", False),
             ("d", 22, "1", "", False)],
            [("index", "https://i/simple", 4), ("file host", "https://f", 4),
             ("file host", "https://evil", 22)],
        ),
        (
            "poetry-lock",
            POETRY,
            [("a", 2, "1", "", True), ("b", 12, "2", GIT, False), ("d", 22, "1", "", False)],
            [("index", "https://i/simple", 22)],
        ),
        (
            "pylock",
            PYLOCK,
            [("a", 4, "1", "", True), ("b", 10, "", GIT, False), ("c", 14, "", ".", False),
             ("d", 18, "", "https://f/d.zip", False)],
            [("index", "https://i/simple", 4), ("file host", "https://f", 4)],
        ),
        (
            "pipfile-lock",
            PIPFILE,
            [("a", 6, "1", "", True), ("b", 7, "", GIT, False), ("a", 10, "2", "", False)],
            [("index", "https://i/simple", 3), ("--trusted-host", "https://i/simple", 3)],
        ),
    ],
)  # fmt: skip
def test_a_lock(
    kind: str, text: str, rows: list[tuple[object, ...]], options: list[tuple[str, str, int]]
) -> None:
    manifest = read(kind, text.encode())
    assert manifest.is_lock
    assert [row(r) for r in manifest.requirements] == rows
    assert manifest.options == tuple(Option(*o) for o in options)
    assert not manifest.problems
    again = read(kind, text.replace("\n", "\r\n").encode())
    assert [row(r) for r in again.requirements] == rows


def test_old_poetry_hashes() -> None:
    text = '[[package]]\nname = "a"\nversion = "1"\n[metadata.files]\na = [{file="f", hash="h"}]\n'
    (a,) = read("poetry-lock", text.encode()).requirements
    assert a.hashed


@pytest.mark.parametrize(
    "text",
    [
        '[["package"]]\nname = "hidden"\n',
        'package = [{name = "hidden"}]\n',
        '[[package]]\nname = "a"\n[[ package ]]\nname = "hidden"\n',
    ],
)
def test_other_spellings_of_a_package_are_read_too(text: str) -> None:
    assert "hidden" in [r.name for r in read("uv-lock", text.encode()).requirements]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uv-lock", b'[[package]]\nname = "a"\nname = "b"\n'),
        ("uv-lock", b'version = 1\n[[package]]\nname = "a"\n[metadata]\n[[package]]\n[metadata]\n'),
        ("uv-lock", b'x = """\n[[package]]\nname = "a"\n"""\n'),
        ("uv-lock", b"package = 1"),
        ("uv-lock", b"[[package]]\n" * 20_001),
        ("uv-lock", b'x = "' + b"a" * 6_000_000 + b'"'),
        ("poetry-lock", b"\xff\xfe[\0"),
        ("pylock", b"packages = [1]"),
        ("pipfile-lock", b"[]"),
        ("pipfile-lock", b'{"default": {"a": {}, "a": {}}}'),
        ("pipfile-lock", b'{"default": {"\\ud800": {}}}'),
        ("pipfile-lock", b"[" * 100_000),
        ("pipfile-lock", b'{"x": [' + b"0," * 500_001 + b"0]}"),
    ],
)
def test_refused_locks(kind: str, data: bytes) -> None:
    with pytest.raises(DocumentError):
        read(kind, data)


def test_a_package_without_a_name_is_a_problem() -> None:
    manifest = read("uv-lock", b'[[package]]\nversion = "1"\n')
    assert not manifest.requirements
    assert [p.line for p in manifest.problems] == [1]


@pytest.mark.parametrize(
    ("kind", "text", "hashes"),
    [
        ("uv-lock", UV, ("sha256:0",)),
        ("poetry-lock", POETRY, ("sha256:0",)),
        (
            "pylock",
            '[[packages]]\nname = "a"\n'
            'wheels = [{hashes = {sha256 = "0", md5 = "1"}}, {hashes = {sha256 = "2"}}, {}]\n'
            'sdist = {hashes = {sha256 = "0"}}',
            ("sha256:0", "md5:1", "sha256:2"),
        ),
        (
            "pipfile-lock",
            '{"default": {"a": {"hashes": ["sha256:0", 1, "sha256:1"]}}}',
            ("sha256:0", "sha256:1"),
        ),
        ("requirements", "a==1 --hash=md5:1 --hash md5:2 --hash=md5:1", ("md5:1", "md5:2")),
        ("requirements", "a==1", ()),
    ],
)
def test_the_hashes_of_a_package(kind: str, text: str, hashes: tuple[str, ...]) -> None:
    assert read(kind, text.encode()).requirements[0].hashes == hashes


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (
            "uv-lock",
            """[[package]]
name = "a"
version = "1"
sdist = { url = "https://f/a.tgz", upload-time = "2026-03-01T00:00:00.5Z" }
wheels = [
    { url = "https://f/a.whl", upload-time = "2026-03-09T23:30:00+01:00" },
    { url = "https://f/b.whl", upload-time = "soon" },
    { url = "https://f/c.whl" },
]
""",
            "2026-03-09T22:30:00Z",
        ),
        (
            "pylock",
            """[[packages]]
name = "a"
version = "1"
sdist = { url = "https://f/a.tgz", upload-time = 2026-03-01T00:00:00Z }
wheels = [{ url = "https://f/a.whl", upload-time = 2026-03-09T22:30:00 }]
""",
            "2026-03-09T22:30:00Z",
        ),
        ("uv-lock", "[[package]]\nname = 'a'\nversion = '1'\n", ""),
        ("uv-lock", "[[package]]\nname = 'a'\nwheels = [1, { upload-time = 1979-05-27 }]\n", ""),
        ("poetry-lock", "[[package]]\nname = 'a'\nversion = '1'\n", ""),
    ],
)
def test_a_release_is_as_old_as_its_youngest_file(kind: str, text: str, expected: str) -> None:
    (found,) = read(kind, text.encode()).requirements
    assert found.uploaded == expected
