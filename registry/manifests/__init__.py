"""Dependency manifests of Python projects: which files they are, and what they say."""

from __future__ import annotations

from collections.abc import Callable

from registry.documents import DocumentError
from registry.manifests.conda import read_conda
from registry.manifests.pip import read_constraints, read_inputs, read_requirements
from registry.manifests.pipfile import read_pipfile
from registry.manifests.poetry import read_poetry
from registry.manifests.pylock import read_pylock
from registry.manifests.pyproject import read_pyproject, read_uv_config
from registry.manifests.requirement import Manifest, Option, Problem, Requirement
from registry.manifests.uv import read_uv

__all__ = [
    "DocumentError",
    "LOCKS",
    "Manifest",
    "Option",
    "Problem",
    "Requirement",
    "kind_of",
    "read",
]

LOCKS = frozenset({"pylock", "uv-lock", "poetry-lock", "pipfile-lock"})
_NAMES = {
    "pyproject.toml": "pyproject",
    "uv.toml": "uv-config",
    "pylock.toml": "pylock",
    "uv.lock": "uv-lock",
    "poetry.lock": "poetry-lock",
    "Pipfile.lock": "pipfile-lock",
}


def kind_of(path: str) -> str | None:
    """Return the manifest kind a path is, or None."""
    folder, _, base = path.rpartition("/")
    if base in _NAMES:
        return _NAMES[base]
    name, _, suffix = base.lower().rpartition(".")
    if suffix in ("txt", "in") and (name.startswith("constraints") or name.endswith("constraints")):
        return "constraints"
    asked = "requirements" in name
    if suffix == "txt" and (asked or folder.rpartition("/")[2] == "requirements"):
        return "requirements"
    if suffix == "in" and asked:
        return "requirements-in"
    if suffix in ("yml", "yaml") and (name.startswith("environment") or name == "conda"):
        return "conda"
    if suffix == "toml" and name.startswith("pylock."):
        return "pylock"
    return None


def read(kind: str, data: bytes) -> Manifest:
    """Read a manifest of this kind. Raises DocumentError where it is not well formed."""
    return _READERS[kind](data)


_READERS: dict[str, Callable[[bytes], Manifest]] = {
    "requirements": read_requirements,
    "requirements-in": read_inputs,
    "constraints": read_constraints,
    "pyproject": read_pyproject,
    "uv-config": read_uv_config,
    "conda": read_conda,
    "pylock": read_pylock,
    "uv-lock": read_uv,
    "poetry-lock": read_poetry,
    "pipfile-lock": read_pipfile,
}
