"""uv.lock."""

from __future__ import annotations

from registry.manifests.graphs import uv_links, uv_roots
from registry.manifests.locked import files_of, git_url, hosts_of, lock, locked, uploaded_of
from registry.manifests.requirement import Manifest, Problem, Requirement
from registry.manifests.tables import Table, items_at, package_tables, text_at


def read_uv(data: bytes) -> Manifest:
    """Read a uv.lock. Raises DocumentError."""
    tables, others = package_tables(data, "package")
    return lock(
        "uv-lock",
        [_package(t) for t in tables],
        hosts=hosts_of(tables),
        links=uv_links(tables, others),
        roots=uv_roots(tables, others),
    )


def _package(table: Table) -> Requirement | Problem:
    value = table.value
    files = files_of(value)
    return locked(
        text_at(value, "name"),
        table.line,
        version=text_at(value, "version"),
        url=_url(value),
        index=text_at(value, "source", "registry"),
        hashed=bool(files) and all(text_at(f, "hash") for f in files),
        marker=" or ".join(m for m in items_at(value, "resolution-markers") if isinstance(m, str)),
        hashes=(text_at(f, "hash") for f in files),
        uploaded=uploaded_of(files),
    )


def _url(value: dict[str, object]) -> str:
    if git := text_at(value, "source", "git"):
        # The fragment is the commit that was resolved; the query is what was asked for.
        repository, _, revision = git.partition("#")
        return git_url(repository.partition("?")[0], revision)
    source = value.get("source")
    places = ("url", "path", "directory", "editable", "virtual")
    return next((u for key in places if (u := text_at(source, key))), "")
