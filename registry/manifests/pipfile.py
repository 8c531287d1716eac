"""Pipfile.lock."""

from __future__ import annotations

from typing import Any

from registry.documents import DocumentError, load_json, text_of
from registry.manifests.lines import Lines
from registry.manifests.locked import git_url, lock, locked
from registry.manifests.requirement import ITEM_LIMIT, Manifest, Option, Problem, Requirement
from registry.manifests.tables import items_at, table_at, text_at

VALUE_LIMIT = 500_000  # commas: what bounds the memory of a parsed document
_SECTIONS = {"default": "", "develop": "group:develop"}


def read_pipfile(data: bytes) -> Manifest:
    """Read a Pipfile.lock. Raises DocumentError."""
    if data.count(b",") > VALUE_LIMIT:
        raise DocumentError(f"more than {VALUE_LIMIT:,} values")
    if b"\\ud" in data.lower():
        raise DocumentError("holds half a character (a surrogate escape)")
    document = load_json(data, limit=len(data))
    if not isinstance(document, dict):
        raise DocumentError("not a JSON object", 1)
    sources = items_at(document, "_meta", "sources")
    wanted = {text_at(s, "url") for s in sources}
    wanted.update(*(table_at(document, section) for section in _SECTIONS), _SECTIONS)
    if len(wanted) > ITEM_LIMIT:
        raise DocumentError(f"more than {ITEM_LIMIT:,} packages")
    lines = Lines(text_of(data, limit=len(data)), wanted)
    items: list[Requirement | Problem] = []
    for section, group in _SECTIONS.items():
        start = max(lines.text.find(f'"{section}"'), 0)
        packages = table_at(document, section)
        places = lines.strings(packages, start)
        for (name, value), line in zip(packages.items(), places, strict=True):
            items.append(_package(name, value, line, group))
    return lock("pipfile-lock", items, _options(sources, lines))


def _package(name: str, value: Any, line: int, group: str) -> Requirement | Problem:
    url = next((u for key in ("file", "path") if (u := text_at(value, key))), "")
    if git := text_at(value, "git"):
        url = git_url(git, text_at(value, "ref"))
    return locked(
        name,
        line,
        version=text_at(value, "version").lstrip("= "),
        url=url,
        hashed=bool(items_at(value, "hashes")),
        marker=text_at(value, "markers"),
        group=group,
        hashes=(one for one in items_at(value, "hashes") if isinstance(one, str)),
    )


def _options(sources: list[Any], lines: Lines) -> list[Option]:
    found = []
    for source in sources:
        url = text_at(source, "url")
        (line,) = lines.strings([url], 0)
        found.append(Option("index", url, line))
        if isinstance(source, dict) and source.get("verify_ssl") is False:
            found.append(Option("--trusted-host", url, line))
    return found
