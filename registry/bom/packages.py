"""Packages that lock files and pinned requirements name, as components."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from registry.bom.hashes import is_hash
from registry.bom.licensing import said
from registry.bom.naming import is_pypi, plain, public, purl, urn
from registry.bom.values import Component, Edge
from registry.errors import ReleaseError
from registry.manifests import DocumentError, Manifest, Requirement, read

Locked = tuple[str, str, bytes]  # path, kind (registry.manifests.kind_of), content
Licences = Callable[[str, str], str]  # name and version to an expression, "" where unknown

MOST_HASHES = 1_000  # of one package
MOST_UNREAD = 100  # lines named that nobody could read; the others are counted


@dataclass(frozen=True, slots=True)
class Packages:
    """What locks name, each once, by ref; `unread` are lines that say something unknown.

    `links` are the ties between packages, where a lock says which one needs which.
    """

    components: tuple[Component, ...]
    unread: tuple[str, ...] = ()
    links: tuple[Edge, ...] = ()


@dataclass(slots=True)
class _Seen:
    first: Requirement
    hashes: dict[tuple[str, str], None] = field(default_factory=dict)
    paths: dict[str, None] = field(default_factory=dict)


def packages(locks: Iterable[Locked], licences: Licences) -> Packages:
    """Read locks. Raises ReleaseError for one that is not well formed."""
    seen: dict[str, _Seen] = {}
    unread: list[str] = []
    links: set[Edge] = set()
    for path, kind, data in locks:
        found = _read(path, kind, data)
        unread += [plain(f"{path}:{p.line}: {p.message}") for p in found.problems]
        links.update(_links(found))
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
    there = {one.ref for one in made}
    known = (edge for edge in links if edge.of in there and edge.to in there)
    ordered = tuple(sorted(known, key=lambda edge: (edge.of, edge.to)))
    return Packages(tuple(made), _some(unread), ordered)


def _links(found: Manifest) -> Iterator[Edge]:
    refs = [of_package(one) for one in found.requirements]
    for link in found.links:
        if link.source >= 0 and link.source not in found.roots and link.target not in found.roots:
            yield Edge(refs[link.source], "links", refs[link.target])


def of_package(found: Requirement) -> str:
    """Return the name of a package: a purl where an index, a URL or a repository gives it.

    What is a folder of the project, or nothing that can be named, has a URN: a purl would say
    that it is the package of that name on the public index.
    """
    name, version = plain(found.name), plain(found.version)
    place = public(found.url)
    if found.ecosystem == "conda" and name:
        return purl("conda", name, version, {"channel": plain(found.index)})
    if not name or (found.url and not place):
        return urn("package", name or found.raw or found.url.rpartition("/")[2], version)
    if found.is_vcs:
        return purl("pypi", name, version, {"vcs_url": _with_commit(place, found.commit)})
    if place:
        return purl("pypi", name, version, {"download_url": place})
    index = public(found.index)
    return purl("pypi", name, version, {"repository_url": "" if is_pypi(index) else index})


def _with_commit(place: str, commit: str) -> str:
    return place if not commit or place.endswith(f"@{commit}") else f"{place}@{commit}"


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
