"""What the packages of a lock need of each other, as the lock itself says it.

uv.lock: `dependencies`, `optional-dependencies`, `dev-dependencies` of each package, and what a
workspace asks for under `[manifest]`. poetry.lock: `[package.dependencies]`, `[package.extras]`.
pylock.toml: `dependencies` (PEP 751), where the tool that wrote it says them. Pipfile.lock: none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Asked
from packaging.utils import canonicalize_name

from registry.documents import DocumentError
from registry.manifests.requirement import Link
from registry.manifests.tables import Table, items_at, table_at, text_at

LINK_LIMIT = 200_000  # links of one lock; 413 packages have 1,229
TWINS = 50  # versions of one package that are told apart; forks have two or three
_OWN = ("editable", "virtual")  # sources of a project's own packages in uv.lock
Value = dict[str, Any]
Find = Callable[[Any], Iterator[int]]


def _named(tables: Iterable[Table]) -> list[Value]:
    # In step with the requirements of the lock: a package without a name is none of them.
    return [t.value for t in tables if text_at(t.value, "name")]


def _bounded(links: Iterator[Link]) -> tuple[Link, ...]:
    found = tuple(islice(links, LINK_LIMIT + 1))
    if len(found) > LINK_LIMIT:
        raise DocumentError(f"more than {LINK_LIMIT:,} dependencies between its packages")
    return tuple(dict.fromkeys(found))


def _finder(packages: list[Value]) -> Find:
    """Return what finds the packages that a reference means: by name, version and source."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(packages):
        same = places.setdefault(canonicalize_name(text_at(value, "name")), [])
        if len(same) < TWINS:
            same.append(place)

    def find(wanted: Any) -> Iterator[int]:
        found = places.get(canonicalize_name(text_at(wanted, "name")), [])
        keys = [k for k in ("version", "source", "vcs", "directory", "archive") if k in wanted]
        for place in found if len(found) > 1 else ():
            if all(packages[place].get(key) == wanted[key] for key in keys):
                yield place
        yield from found if len(found) == 1 else ()

    return find


def uv_roots(tables: Iterable[Table], others: Value) -> tuple[int, ...]:
    """Return the places of the project's own packages: members, or what lies in its folder."""
    packages = _named(tables)
    members = {canonicalize_name(m) for m in items_at(others, "manifest", "members")
               if isinstance(m, str)}  # fmt: skip
    return tuple(
        place
        for place, value in enumerate(packages)
        if (canonicalize_name(text_at(value, "name")) in members and _is_folder(value))
        or (not members and any(text_at(value, "source", key) == "." for key in _OWN))
    )


def _is_folder(value: Value) -> bool:
    return any(text_at(value, "source", key) for key in (*_OWN, "directory"))


def uv_links(tables: Iterable[Table], others: Value) -> tuple[Link, ...]:
    """Return the links of a uv.lock. Raises DocumentError beyond LINK_LIMIT."""
    packages = _named(tables)
    return _bounded(_uv_links(packages, others))


def _uv_links(packages: list[Value], others: Value) -> Iterator[Link]:
    find = _finder(packages)
    for source, value in enumerate(packages):
        yield from _uv_part(find, source, "", value.get("dependencies"))
        for name, wanted in table_at(value, "optional-dependencies").items():
            yield from _uv_part(find, source, f"extra:{canonicalize_name(name)}", wanted)
        for name, wanted in table_at(value, "dev-dependencies").items():
            yield from _uv_part(find, source, f"group:{name}", wanted)
    yield from _uv_part(find, -1, "", items_at(others, "manifest", "requirements"))
    for name, wanted in table_at(others, "manifest", "dependency-groups").items():
        yield from _uv_part(find, -1, f"group:{name}", wanted)


def _uv_part(find: Find, source: int, part: str, wanted: Any) -> Iterator[Link]:
    for one in wanted if isinstance(wanted, list) else []:
        if isinstance(one, dict):
            named = [*items_at(one, "extra"), *items_at(one, "extras")]
            extras = tuple(canonicalize_name(e) for e in named if isinstance(e, str))
            for target in find(one):
                yield Link(source, target, part, extras, text_at(one, "marker"))


def pylock_links(tables: Iterable[Table]) -> tuple[Link, ...]:
    """Return the links of a pylock.toml. Raises DocumentError beyond LINK_LIMIT."""
    packages = _named(tables)
    find = _finder(packages)
    return _bounded(
        link
        for source, value in enumerate(packages)
        for link in _uv_part(find, source, "", value.get("dependencies"))
    )


def poetry_links(tables: Iterable[Table]) -> tuple[Link, ...]:
    """Return the links of a poetry.lock. Raises DocumentError beyond LINK_LIMIT."""
    packages = _named(tables)
    return _bounded(_poetry_links(packages))


def _poetry_links(packages: list[Value]) -> Iterator[Link]:
    find = _finder(packages)
    for source, value in enumerate(packages):
        of = _extras_of(value)
        for name, wanted in table_at(value, "dependencies").items():
            targets = list(find({"name": name}))
            for one in wanted if isinstance(wanted, list) else [wanted]:
                optional = isinstance(one, dict) and one.get("optional") is True
                # What is optional and in no extra is never installed for this package's sake.
                parts = of.get(canonicalize_name(name), []) if optional else [""]
                named = (e for e in items_at(one, "extras") if isinstance(e, str))
                extras = tuple(canonicalize_name(e) for e in named)
                for target in targets:
                    for part in parts:
                        yield Link(source, target, part, extras, text_at(one, "markers"))


def _extras_of(value: Value) -> dict[str, list[str]]:
    """Return which extras of a package bring in a name."""
    found: dict[str, list[str]] = {}
    for extra, wanted in table_at(value, "extras").items():
        for text in wanted if isinstance(wanted, list) else []:
            part = f"extra:{canonicalize_name(extra)}"
            found.setdefault(_name(text), []).append(part)
    return found


def _name(text: Any) -> str:
    # "boto3 (>=1.2,<2)", as Poetry writes it.
    try:
        return canonicalize_name(Asked(text).name) if isinstance(text, str) else ""
    except InvalidRequirement:
        return canonicalize_name(str(text).split(" ", 1)[0])
