"""poetry.lock, and the dependency tables that Poetry reads in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from registry.manifests.graphs import poetry_links
from registry.manifests.locked import git_url, lock, locked
from registry.manifests.requirement import Manifest, Problem, Requirement
from registry.manifests.tables import Table, items_at, package_tables, table_at, text_at


def read_poetry(data: bytes) -> Manifest:
    """Read a poetry.lock. Raises DocumentError."""
    tables, others = package_tables(data, "package")
    old_hashes = table_at(others, "metadata", "files")  # where Poetry 1.2 and before kept them
    packages = [_package(t, old_hashes) for t in tables]
    return lock("poetry-lock", packages, links=poetry_links(tables))


def _package(table: Table, old_hashes: dict[str, Any]) -> Requirement | Problem:
    value = table.value
    name = text_at(value, "name")
    files = items_at(value, "files") or items_at(old_hashes, name)
    kind, place = text_at(value, "source", "type"), text_at(value, "source", "url")
    index = place if kind == "legacy" else ""
    if kind == "git":
        place = git_url(place, text_at(value, "source", "resolved_reference"))
    return locked(
        name,
        table.line,
        version=text_at(value, "version"),
        url="" if kind in ("", "legacy") else place,
        index=index,
        hashed=bool(files) and all(text_at(f, "hash") for f in files),
        marker=text_at(value, "markers"),
        hashes=(text_at(f, "hash") for f in files),
    )


def poetry_requirements(name: str, value: Any, line: int, group: str) -> Iterator[Requirement]:
    """Yield what one line of a Poetry dependency table asks for."""
    for wanted in value if isinstance(value, list) else [value]:
        version = wanted if isinstance(wanted, str) else text_at(wanted, "version")
        yield Requirement(
            canonicalize_name(name),
            name,
            line,
            _specifier(version),
            tuple(sorted(e for e in items_at(wanted, "extras") if isinstance(e, str))),
            text_at(wanted, "markers") or text_at(wanted, "python"),
            _place(wanted),
            text_at(wanted, "source"),
            group=group,
        )


def _specifier(version: str) -> str:
    version = version.strip()
    if version == "*":
        return ""
    return f"=={version}" if version[:1].isdigit() and "," not in version else version


def _place(wanted: Any) -> str:
    if git := text_at(wanted, "git"):
        named = (text_at(wanted, key) for key in ("rev", "tag", "branch", "ref"))
        return git_url(git, next((n for n in named if n), ""))
    places = ("url", "path", "file")
    return next((u for key in places if (u := text_at(wanted, key))), "")
