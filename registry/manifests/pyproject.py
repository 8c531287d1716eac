"""pyproject.toml: PEP 621, PEP 735, build requirements, and what Poetry and uv add."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from registry.documents import DocumentError, load_toml, text_of
from registry.manifests.lines import Lines
from registry.manifests.locked import git_url
from registry.manifests.pep508 import requirement
from registry.manifests.poetry import poetry_requirements
from registry.manifests.requirement import Item, Manifest, Option, Problem, Requirement, manifest
from registry.manifests.tables import items_at, table_at, text_at

_UV_LISTS = ("dev-dependencies", "constraint-dependencies", "override-dependencies")
_UV_OPTIONS = {
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "allow-insecure-host": "--trusted-host",
}


def read_pyproject(data: bytes) -> Manifest:
    """Read a pyproject.toml. Raises DocumentError."""
    document = _load(data)
    lines = Lines(text_of(data, limit=len(data)))
    own = canonicalize_name(text_at(document, "project", "name"))
    readers = (_project, _dynamic, _groups, _build, _poetry, _uv, _pdm, _hatch)
    items = (item for reader in readers for item in reader(document, lines))
    return manifest("pyproject", (item for item in items if not _is_own(item, own)))


def read_uv_config(data: bytes) -> Manifest:
    """Read a uv.toml, which says what `[tool.uv]` says. Raises DocumentError."""
    lines = Lines(text_of(data, limit=len(data)))
    return manifest("uv-config", _uv({"tool": {"uv": _load(data)}}, lines))


def _load(data: bytes) -> dict[str, Any]:
    try:
        return load_toml(data, limit=len(data))
    except ValueError as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(str(error)) from error


def _is_own(item: Item, own: str) -> bool:
    # `name[extra]` of the project itself is how one extra includes another. A build, or a
    # group that is installed alone, would take the plain name from the index.
    if not isinstance(item, Requirement) or item.url or item.name != own:
        return False
    return bool(item.extras) and item.group != "build"


def _project(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    start = lines.table("project")
    wanted = items_at(document, "project", "dependencies")
    yield from _listed(wanted, lines, lines.key("dependencies", start), "")
    start = lines.table("project", "optional-dependencies")
    for extra, wanted in table_at(document, "project", "optional-dependencies").items():
        yield from _listed(wanted, lines, lines.key(extra, start), f"extra:{extra}")


def _dynamic(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    # Setuptools reads these lists from files, under any name.
    path = ("tool", "setuptools", "dynamic")
    dynamic = table_at(document, *path)
    extras = table_at(dynamic, "optional-dependencies")
    line = lines.at(lines.table(*path))
    for value in (dynamic.get("dependencies"), *extras.values()):
        for name in [*items_at(value, "file"), text_at(value, "file")]:
            if isinstance(name, str) and name:
                yield Option("--requirement", name, line)


def _groups(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    start = lines.table("dependency-groups")
    groups = table_at(document, "dependency-groups")
    for group, wanted in groups.items():
        place = lines.key(group, start)
        if isinstance(wanted, list):
            included = [text_at(w, "include-group") for w in wanted if isinstance(w, dict)]
            known = {canonicalize_name(g) for g in groups}
            for name in included:
                if canonicalize_name(name) not in known:
                    yield Problem(
                        f"includes the group {name[:80]!r}, which is not there", lines.at(place)
                    )
            wanted = [w for w in wanted if not (isinstance(w, dict) and "include-group" in w)]
        yield from _listed(wanted, lines, place, f"group:{group}")


def _build(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    start = lines.key("requires", lines.table("build-system"))
    yield from _listed(items_at(document, "build-system", "requires"), lines, start, "build")


def _listed(wanted: Any, lines: Lines, start: int, group: str) -> Iterator[Item]:
    if not isinstance(wanted, list):
        yield Problem("dependencies that are not a list", lines.at(start))
        return
    texts = [w for w in wanted if isinstance(w, str)]
    if len(texts) < len(wanted):
        yield Problem("a dependency that is not a string", lines.at(start))
    for text, line in zip(texts, lines.strings(texts, start), strict=True):
        yield requirement(text, line, group=group)


def _poetry(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    poetry = table_at(document, "tool", "poetry")
    sections: dict[tuple[str, ...], str] = {
        ("dependencies",): "",
        ("dev-dependencies",): "group:dev",
        ("requires-plugins",): "build",
    }
    for group in table_at(poetry, "group"):
        sections["group", group, "dependencies"] = f"group:{group}"
    for path, group in sections.items():
        start = lines.table("tool", "poetry", *path)
        for name, value in table_at(poetry, *path).items():
            if name != "python":
                line = lines.at(lines.key(name, start))
                yield from poetry_requirements(name, value, line, group)
    for source in items_at(poetry, "source"):
        url = text_at(source, "url")
        (line,) = lines.strings([url], lines.table("tool", "poetry", "source"))
        yield Option("index", url, line)


def _uv(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    uv, start = table_at(document, "tool", "uv"), lines.table("tool", "uv")
    for key in _UV_LISTS:
        yield from _listed(items_at(uv, key), lines, lines.key(key, start), f"group:uv.{key}")
    for table in (uv, table_at(uv, "pip")):
        for key, option in _UV_OPTIONS.items():
            found = [*items_at(table, key), text_at(table, key)]
            values = [v for v in found if isinstance(v, str) and v]
            for value, line in zip(values, lines.strings(values, start), strict=True):
                yield Option(option, value, line)
    for index in items_at(uv, "index"):
        url = text_at(index, "url")
        (line,) = lines.strings([url], lines.table("tool", "uv", "index"))
        yield Option("index", url, line)
    start = lines.table("tool", "uv", "sources")
    for name, value in table_at(uv, "sources").items():
        line = lines.at(lines.key(name, start))
        for source in value if isinstance(value, list) else [value]:
            if url := _source_url(source):
                yield Requirement(
                    canonicalize_name(name), name, line, marker=text_at(source, "marker"), url=url
                )
            elif index := text_at(source, "index"):
                yield Option("source", f"{canonicalize_name(name)}={index}", line)


def _pdm(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    pdm, start = table_at(document, "tool", "pdm"), lines.table("tool", "pdm")
    for group, wanted in table_at(pdm, "dev-dependencies").items():
        yield from _listed(wanted, lines, lines.key(group, start), f"group:{group}")
    for source in items_at(pdm, "source"):
        yield Option("index", text_at(source, "url"), lines.at(start))


def _hatch(document: dict[str, Any], lines: Lines) -> Iterator[Item]:
    for name, env in table_at(document, "tool", "hatch", "envs").items():
        start = lines.table("tool", "hatch", "envs", name)
        for key in ("dependencies", "extra-dependencies"):
            yield from _listed(items_at(env, key), lines, lines.key(key, start), f"group:{name}")


def _source_url(source: Any) -> str:
    if git := text_at(source, "git"):
        named = (text_at(source, key) for key in ("rev", "tag", "branch"))
        return git_url(git, next((n for n in named if n), ""))
    return text_at(source, "url") or text_at(source, "path")
