"""Dependency manifests of Python projects: which files they are, and what they say.

`kind_of` knows those that declare; `command_kind` those whose commands install.
"""

from __future__ import annotations

from collections.abc import Callable

from registry.documents import DocumentError
from registry.manifests.conda import read_conda
from registry.manifests.dockerfile import read_dockerfile
from registry.manifests.installs import read_script
from registry.manifests.pip import read_constraints, read_inputs, read_requirements
from registry.manifests.pipenv import read_pipenv
from registry.manifests.pipfile import read_pipfile
from registry.manifests.poetry import read_poetry
from registry.manifests.pylock import read_pylock
from registry.manifests.pyproject import read_pyproject, read_uv_config
from registry.manifests.requirement import Manifest, Option, Problem, Requirement
from registry.manifests.setupcfg import read_setup_cfg
from registry.manifests.setuppy import read_setup
from registry.manifests.uv import read_uv
from registry.manifests.workflow import read_workflow

__all__ = [
    "COMMANDS",
    "DocumentError",
    "LOCKS",
    "Manifest",
    "Option",
    "Problem",
    "Requirement",
    "command_kind",
    "kind_of",
    "read",
]

LOCKS = frozenset({"pylock", "uv-lock", "poetry-lock", "pipfile-lock"})
COMMANDS = frozenset({"dockerfile", "workflow", "script"})  # kinds that hold install lines
_IMAGES = ("dockerfile", "containerfile")
_PROSE = ("md", "rst", "py", "pyc", "dockerignore")
_NAMES = {
    "pyproject.toml": "pyproject",
    "uv.toml": "uv-config",
    "pylock.toml": "pylock",
    "uv.lock": "uv-lock",
    "poetry.lock": "poetry-lock",
    "Pipfile.lock": "pipfile-lock",
    "Pipfile": "pipfile",
    "setup.py": "setup-py",
    "setup.cfg": "setup-cfg",
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


def command_kind(path: str) -> str | None:
    """Return the kind of file with install lines that a path is (of COMMANDS), or None."""
    folder, _, base = path.rpartition("/")
    name, _, suffix = base.lower().rpartition(".")
    whole = base.lower() in _IMAGES or suffix in _IMAGES
    if whole or (base.startswith(("Dockerfile.", "Containerfile.")) and suffix not in _PROSE):
        return "dockerfile"
    if suffix in ("yml", "yaml") and (folder == ".github/workflows" or name == "action"):
        return "workflow"
    return "script" if suffix in ("sh", "bash") and name else None


def read(kind: str, data: bytes) -> Manifest:
    """Read a manifest of this kind. Raises DocumentError where it is not well formed."""
    if kind in LOCKS and not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DocumentError("the lock is empty: no tool writes it so", 1)
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
    "pipfile": read_pipenv,
    "setup-py": read_setup,
    "setup-cfg": read_setup_cfg,
    "dockerfile": read_dockerfile,
    "workflow": read_workflow,
    "script": read_script,
}
