"""pylock.toml (PEP 751)."""

from __future__ import annotations

from typing import Any

from registry.manifests.graphs import pylock_links
from registry.manifests.locked import files_of, git_url, hosts_of, lock, locked, uploaded_of
from registry.manifests.requirement import Manifest, Problem, Requirement
from registry.manifests.tables import Table, package_tables, table_at, text_at


def read_pylock(data: bytes) -> Manifest:
    """Read a pylock.toml. Raises DocumentError."""
    tables, _ = package_tables(data, "packages")
    packages = [_package(t) for t in tables]
    return lock("pylock", packages, hosts=hosts_of(tables), links=pylock_links(tables))


def _package(table: Table) -> Requirement | Problem:
    value = table.value
    files = files_of(value)
    return locked(
        text_at(value, "name"),
        table.line,
        version=text_at(value, "version"),
        url=_url(value),
        index=text_at(value, "index"),
        hashed=bool(files) and all(table_at(f, "hashes") for f in files),
        marker=text_at(value, "marker"),
        hashes=(
            f"{name}:{text_at(f, 'hashes', name)}" for f in files for name in table_at(f, "hashes")
        ),
        uploaded=uploaded_of(files),
    )


def _url(value: dict[str, Any]) -> str:
    if vcs := table_at(value, "vcs"):
        place = git_url(text_at(vcs, "url") or text_at(vcs, "path"), text_at(vcs, "commit-id"))
        kind = text_at(vcs, "type")
        return place if kind in ("", "git") else f"{kind}+{place.removeprefix('git+')}"
    if "directory" in value:
        return text_at(value, "directory", "path") or "."
    return text_at(value, "archive", "url") or text_at(value, "archive", "path")
