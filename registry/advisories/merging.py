"""Advisories that are aliases of each other, as one entry for each package they are about."""

from __future__ import annotations

from collections.abc import Iterable

from registry.advisories.severity import worst
from registry.advisories.values import Advisory, Affected, Entry, Span
from registry.advisories.versions import holds, parsed, widest

_RANK = ("MAL-", "CVE-", "GHSA-", "PYSEC-")


def groups(advisories: Iterable[Advisory]) -> tuple[tuple[Advisory, ...], ...]:
    """Return advisories joined by ids and aliases, in the order in which groups first appear."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = parent[above]  # each look-up halves the way of the next
            name = parent[name]
        return name

    known = list(advisories)
    for advisory in known:
        for alias in advisory.names:
            parent[root(alias)] = root(advisory.id)
    joined: dict[str, list[Advisory]] = {}
    for advisory in known:
        joined.setdefault(root(advisory.id), []).append(advisory)
    return tuple(tuple(group) for group in joined.values())


def entries(advisories: Iterable[Advisory]) -> dict[str, tuple[Entry, ...]]:
    """Return the entries of each package, by canonical name."""
    found: dict[str, list[Entry]] = {}
    for group in groups(advisories):
        packages: dict[str, list[tuple[Advisory, Affected]]] = {}
        for advisory in group:
            for affected in advisory.affected:
                packages.setdefault(affected.name, []).append((advisory, affected))
        severity = worst(a.severity for a in group)
        for name, about in packages.items():
            ids = tuple(sorted({one for a, _ in about for one in a.names}, key=_rank))
            spans = tuple(dict.fromkeys(s for _, one in about for s in one.spans))
            listed = dict.fromkeys(v for _, one in about for v in one.versions)
            entry = Entry(
                ids[0],
                ids,
                severity,
                any(a.malware for a, _ in about),
                next((a.summary for a, _ in about if a.summary), ""),
                spans,
                tuple(v for v in listed if not _held(v, spans)),
                widest(one.vague for _, one in about),
            )
            found.setdefault(name, []).append(entry)
    return {name: tuple(sorted(of, key=lambda e: e.ids)) for name, of in sorted(found.items())}


def _held(text: str, spans: tuple[Span, ...]) -> bool:
    version = parsed(text)
    return version is not None and any(holds(span, version) for span in spans)


def _rank(name: str) -> tuple[int, str]:
    known = (i for i, prefix in enumerate(_RANK) if name.startswith(prefix))
    return next(known, len(_RANK)), name
