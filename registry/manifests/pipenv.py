"""Pipfile, from which Pipenv makes Pipfile.lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from registry.documents import DocumentError, load_toml, text_of
from registry.manifests.lines import Lines
from registry.manifests.poetry import poetry_requirements
from registry.manifests.requirement import Item, Manifest, Option, Problem, manifest
from registry.manifests.tables import items_at, text_at

_OTHERS = frozenset({"source", "requires", "scripts", "pipenv", "pipfile"})
_GROUPS = {"packages": "", "dev-packages": "group:dev"}


def read_pipenv(data: bytes) -> Manifest:
    """Read a Pipfile. Raises DocumentError."""
    try:
        document = load_toml(data, limit=len(data))
    except ValueError as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(str(error)) from error
    return manifest("pipfile", _items(document, Lines(text_of(data, limit=len(data)))))


def _items(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    for source in items_at(document, "source"):
        url = text_at(source, "url")
        (line,) = lines.strings([url], lines.table("source"))
        yield Option("index", url, line)
        if isinstance(source, dict) and source.get("verify_ssl") is False:
            yield Option("--trusted-host", url, line)
    for section, packages in document.items():
        if section in _OTHERS:
            continue
        start = lines.table(section)
        if not isinstance(packages, dict):
            yield Problem(f"{section[:80]!r} is not a table of packages", lines.at(start))
            continue
        group = _GROUPS.get(section, f"group:{section}")
        for name, value in packages.items():
            line = lines.at(lines.key(name, start))
            yield from poetry_requirements(name, value, line, group)
