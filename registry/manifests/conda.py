"""Conda environment.yml, with its `pip:` list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from registry.documents import ALIASES, Document, DocumentError, load_yaml
from registry.manifests.pip import logical_lines, read_line
from registry.manifests.requirement import Item, Manifest, Option, Problem, Requirement, manifest

VALUE_LIMIT = 100_000  # lines and commas: what bounds the memory of a parsed document
_SPEC = re.compile(r"(?:(?P<channel>[\w./:-]{1,200})::)?(?P<name>[\w.-]{1,200})(?P<rest>.*)$")

_VERSION = re.compile(r"""version=(?:'([^']*)'|"([^"]*)"|([^,\]]+))""")


def read_conda(data: bytes) -> Manifest:
    """Read an environment.yml. Raises DocumentError."""
    if data.count(b"\n") + data.count(b",") > VALUE_LIMIT:
        raise DocumentError(f"more than {VALUE_LIMIT:,} lines or values")
    document = load_yaml(data, limit=len(data), aliases=ALIASES)
    return manifest("conda", _items(document))


def _items(document: Document) -> Iterator[Item]:
    value = document.value if isinstance(document.value, dict) else {}
    for number, channel in enumerate(_list(value.get("channels"))):
        yield Option("channel", str(channel), document.line(("channels", number)))
    for number, entry in enumerate(_list(value.get("dependencies"))):
        line = document.line(("dependencies", number))
        if isinstance(entry, str):
            yield package(entry, line)
        elif isinstance(entry, dict):
            for index, text in enumerate(_list(entry.get("pip"))):
                place = document.line(("dependencies", number, "pip", index))
                for _, said in logical_lines(str(text)):
                    yield from read_line(said, place)
        else:
            yield Problem(f"not a dependency: {str(entry)[:80]!r}", line)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def package(text: str, line: int) -> Requirement | Problem:
    """Read one specification of a conda package: `channel::name=1.2`."""
    match = _SPEC.match(text.strip())
    if match is None:
        return Problem(f"not a conda package: {text[:80]!r}", line)
    name = match["name"]
    return Requirement(
        name.lower(),
        name,
        line,
        _specifier(match["rest"].strip()),
        index=match["channel"] or "",
        ecosystem="conda",
    )


def _specifier(text: str) -> str:
    # "1.2" and "==1.2" are exact; "=1.2" means any 1.2.x; a second "=" starts the build.
    if text.startswith("["):
        match = _VERSION.search(text)
        text = next((g for g in match.groups() if g), "") if match else ""
    if text.startswith("=") and not text.startswith("=="):
        version, _, build = text[1:].partition("=")
        fuzzy = version if build or version.endswith("*") else f"{version}.*"
        return f"=={fuzzy}"
    if text[:1].isdigit():
        return f"=={text.split()[0]}"
    return ",".join(sorted(clause.replace(" ", "") for clause in text.split(","))) if text else ""
