"""What all lock files share: one package at one version, from one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from packaging.utils import canonicalize_name

from registry.manifests.requirement import (
    Item,
    Link,
    Manifest,
    Option,
    Problem,
    Requirement,
    manifest,
)
from registry.manifests.tables import Table, items_at, text_at
from registry.moments import utc


def locked(
    raw: str,
    line: int,
    *,
    version: str = "",
    url: str = "",
    index: str = "",
    hashed: bool = False,
    marker: str = "",
    group: str = "",
    hashes: Iterable[str] = (),
    uploaded: str = "",
) -> Requirement | Problem:
    """Return a locked package; a Problem where it has no name."""
    if not raw:
        return Problem("a locked package without a name", line)
    specifier = f"=={version}" if version else ""
    name = canonicalize_name(raw)
    found = tuple(dict.fromkeys(one for one in hashes if one))
    return Requirement(
        name,
        raw,
        line,
        specifier,
        (),
        marker,
        url,
        index,
        hashed,
        group,
        hashes=found,
        uploaded=uploaded,
    )


def git_url(repository: str, revision: str) -> str:
    """Return a repository and a revision in the form pip knows."""
    prefix = "" if repository.startswith("git+") else "git+"
    return f"{prefix}{repository}@{revision}" if revision else f"{prefix}{repository}"


def lock(
    kind: str,
    items: Iterable[Requirement | Problem],
    options: Iterable[Option] = (),
    hosts: Mapping[str, int] | None = None,
    links: Iterable[Link] = (),
    roots: Iterable[int] = (),
) -> Manifest:
    """Return a lock; the first package from each index stands for an index option.

    `hosts` are where files come from: an installer goes there, whatever the index says.
    """
    found: list[Item] = list(items)
    indexes: dict[str, int] = {}
    for item in found:
        if isinstance(item, Requirement) and item.index:
            indexes.setdefault(item.index, item.line)
    seen = [Option("index", value, line) for value, line in indexes.items()]
    seen += [Option("file host", value, line) for value, line in (hosts or {}).items()]
    read = manifest(kind, [*found, *options, *seen], is_lock=True)
    return replace(read, links=tuple(links), roots=tuple(roots))


def files_of(value: Any) -> list[Any]:
    """Return the wheels, source and archive of a package table."""
    others = [value[key] for key in ("sdist", "archive") if key in value]
    return [*items_at(value, "wheels"), *others]


def uploaded_of(files: Iterable[Any]) -> str:
    """Return when the youngest file was uploaded, "" where none of them says.

    The youngest counts: a file can be added to a release of long ago.
    """
    times = (utc(file.get("upload-time")) for file in files if isinstance(file, dict))
    return max(times, default="")


def hosts_of(tables: Iterable[Table]) -> dict[str, int]:
    """Return each "scheme://host" that files come from, with the first line that says so."""
    hosts: dict[str, int] = {}
    for table in tables:
        for file in files_of(table.value):
            scheme, _, rest = text_at(file, "url").partition("://")
            if rest:
                host = rest.partition("/")[0].rpartition("@")[2]
                hosts.setdefault(f"{scheme}://{host}".lower(), table.line)
    return hosts
