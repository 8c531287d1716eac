"""Which file is which, and what no text may do to any reader."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from registry.manifests import LOCKS, DocumentError, Manifest, command_kind, kind_of, read

KINDS = (
    "requirements",
    "requirements-in",
    "constraints",
    "pyproject",
    "conda",
    "pylock",
    "uv-lock",
    "poetry-lock",
    "pipfile-lock",
    "pipfile",
    "setup-py",
    "setup-cfg",
    "dockerfile",
    "workflow",
    "script",
)
ADAPTER = TypeAdapter(Manifest)
PIECES = (
    "[[package]]", "[[packages]]", "[project]", "[tool.uv]", "[tool.poetry.dependencies]",
    "dependencies", "name", "version", "source", "index-url", "dev", "pip", "default", "git",
    "rev", " = ", ": ", "- ", "\n", "\n  ", "'", '"', "{", "}", "[", "]", ",", "a", "b>=1",
    "==1.0", " ; ", " @ ", "git+https://h/x@main", "https://[", "--hash=sha256:0", "-r x", "-e .",
    "#", "\\\n", "é", "\u2028", "1e9", "(" * 40, "&x", "*x", "true", "2020-01-01",
    "pip install ", "RUN ", "$x", "${x}", "$(", "`", "&& ", "<<EOF", "setup(", "install_requires=",
    "jobs: ", "steps: ", "run: |", "if x; then ", "fi", "FROM x", "ARG x=1", "install_requires",
    "[options]", "[packages]", "for x in y:", "def f():", "    ",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("requirements.txt", "requirements"),
        ("a/requirements-dev.txt", "requirements"),
        ("dev-requirements.txt", "requirements"),
        ("requirements/cuda.txt", "requirements"),
        ("Requirements.TXT", "requirements"),
        ("requirements/base.in", None),
        ("requirements.in", "requirements-in"),
        ("constraints-3.11.txt", "constraints"),
        ("pyproject.toml", "pyproject"),
        ("sub/pyproject.toml", "pyproject"),
        ("pylock.toml", "pylock"),
        ("pylock.dev.toml", "pylock"),
        ("uv.lock", "uv-lock"),
        ("poetry.lock", "poetry-lock"),
        ("Pipfile.lock", "pipfile-lock"),
        ("environment.yml", "conda"),
        ("envs/environment-gpu.yaml", "conda"),
        ("setup.py", "setup-py"),
        ("sub/setup.cfg", "setup-cfg"),
        ("Pipfile", "pipfile"),
        ("README.txt", None),
        ("docs/requirements", None),
        ("requirements.txt/x", None),
        ("mypyproject.toml", None),
        ("", None),
    ],
)
def test_kinds(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", "dockerfile"),
        ("docker/Dockerfile.cuda", "dockerfile"),
        ("gpu.dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("registry/dockerfile.py", None),
        ("Dockerfile.md", None),
        ("Dockerfile.dockerignore", None),
        (".github/workflows/ci.yml", "workflow"),
        ("sub/.github/workflows/ci.yml", None),
        ("action.yml", "workflow"),
        (".github/action/action.yaml", "workflow"),
        ("ci.yml", None),
        ("install.sh", "script"),
        ("tools/a.bash", "script"),
        (".sh", None),
        ("requirements.txt", None),
        ("", None),
    ],
)
def test_kinds_of_files_with_commands(path: str, kind: str | None) -> None:
    assert command_kind(path) == kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [b"", b"\n", b"# only a comment\n"])
def test_an_empty_file_asks_for_nothing_or_is_refused(kind: str, data: bytes) -> None:
    try:
        assert read(kind, data).requirements == ()
    except DocumentError:
        assert kind in LOCKS


def survives(kind: str, data: bytes) -> None:
    try:
        manifest = read(kind, data)
    except DocumentError:
        return
    lines = data.count(b"\n") + 1
    places = [r.line for r in manifest.requirements]
    places += [o.line for o in manifest.options] + [p.line for p in manifest.problems]
    assert all(1 <= line <= lines for line in places)
    assert ADAPTER.validate_json(ADAPTER.dump_json(manifest)) == manifest


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_bytes(kind: str, data: bytes) -> None:
    survives(kind, data)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.sampled_from(PIECES), max_size=25))
def test_pieces_of_the_formats(kind: str, pieces: list[str]) -> None:
    survives(kind, "".join(pieces).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(string.printable, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(PIECES) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ("default", "develop", "_meta", "sources", "dependencies", "channels", "pip", "url", "git")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["pipfile-lock", "conda"]), st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_wrong_shapes(kind: str, value: dict[str, object]) -> None:
    survives(kind, json.dumps(value).encode())


TOML = (
    "project", "dependencies", "optional-dependencies", "name", "dependency-groups", "tool", "uv",
    "poetry", "group", "source", "sources", "index", "index-url", "build-system", "requires",
    "package", "packages", "sdist", "wheels", "files", "version", "vcs", "url", "archive",
)  # fmt: skip
TOML_VALUES = ("1", "'x'", "[]", "['a']", "{}", "[1]", "[{}]", "{git = 1}", "{git = 'x'}", "[[]]")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["pyproject", "uv-lock", "poetry-lock", "pylock"]),
    st.lists(
        st.tuples(st.lists(st.sampled_from(TOML), min_size=1, max_size=4).map(".".join),
                  st.sampled_from(TOML_VALUES)),
        max_size=6,
    ),
)  # fmt: skip
def test_wrong_shapes_in_toml(kind: str, rows: list[tuple[str, str]]) -> None:
    survives(kind, "\n".join(f"{key} = {value}" for key, value in rows).encode())
