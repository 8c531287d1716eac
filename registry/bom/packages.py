"""Packages that lock files and pinned requirements name, as components."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from registry.bom.hashes import is_hash
from registry.bom.licensing import said
from registry.bom.naming import of_package, plain, public
from registry.bom.values import Component
from registry.errors import ReleaseError
from registry.manifests import DocumentError, Manifest, Requirement, read

Locked = tuple[str, str, bytes]  # path, kind (registry.manifests.kind_of), content
Licences = Callable[[str, str], str]  # name and version to an expression, "" where unknown

MOST_HASHES = 1_000  # of one package
MOST_UNREAD = 100  # lines named that nobody could read; the others are counted


@dataclass(frozen=True, slots=True)
class Packages:
    """What locks name, each once, by ref; `unread` are lines that say something unknown."""

    components: tuple[Component, ...]
    unread: tuple[str, ...] = ()


@dataclass(slots=True)
class _Seen:
    first: Requirement
    hashes: dict[tuple[str, str], None] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)


def packages(locks: Iterable[Locked], licences: Licences) -> Packages:
    """Read locks. Raises ReleaseError for one that is not well formed."""
    seen: dict[str, _Seen] = {}
    unread: list[str] = []
    for path, kind, data in locks:
        found = _read(path, kind, data)
        unread += [plain(f"{path}:{p.line}: {p.message}") for p in found.problems]
        for one in found.requirements:
            if one.is_local and one.url.rstrip("/") in ("", "."):
                continue  # the project itself
            ref = of_package(one)
            kept = seen.setdefault(ref, _Seen(one))
            kept.hashes.update(dict.fromkeys(_digests(one.hashes)))
            kept.paths[path] = None
    pinned = {kept.first.name for kept in seen.values() if kept.first.version}
    made = [
        _component(ref, kept, licences)
        for ref, kept in sorted(seen.items())
        if kept.first.version or kept.first.url or kept.first.name not in pinned
    ]
    return Packages(tuple(made), _some(unread))


def _read(path: str, kind: str, data: bytes) -> Manifest:
    try:
        return read(kind, data)
    except DocumentError as error:
        what = plain(f"{path}:{error.line}: {error.message}")
        raise ReleaseError(what, "mend the lock file, and commit it") from error


def _component(ref: str, kept: _Seen, licences: Licences) -> Component:
    one, version = kept.first, plain(kept.first.version)
    name = plain(one.name or one.raw or one.url.rpartition("/")[2]) or "unnamed"
    licence = licences(one.name, one.version) if one.name else ""
    hashes = tuple(sorted(kept.hashes))
    known = said(licence)
    properties = (
        ("specifier", "" if version else plain(one.specifier)),
        ("marker", plain(one.marker)),
        ("licence-as-stated", plain(licence) if known.how == "unknown" else ""),
        ("hashes-left-out", str(max(0, len(hashes) - MOST_HASHES) or "")),
    )
    return Component(
        ref=ref,
        kind="package",
        name=name,
        version=version,
        licence="" if known.how == "unknown" else plain(known.text, 2_000),
        hashes=hashes[:MOST_HASHES],
        source=public(one.url) or public(one.index),
        found=plain(", ".join(sorted(kept.paths))),
        properties=tuple((key, value) for key, value in properties if value),
    )


def _digests(hashes: Iterable[str]) -> Iterable[tuple[str, str]]:
    for one in hashes:
        algorithm, _, digest = one.replace("=", ":", 1).lower().partition(":")
        if is_hash(algorithm, digest):
            yield algorithm, digest


def _some(lines: Sequence[str]) -> tuple[str, ...]:
    more = len(lines) - MOST_UNREAD
    return (*lines[:MOST_UNREAD], *([f"{more:,} more"] if more > 0 else []))
