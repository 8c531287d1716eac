"""What changed between two bills: for the notes of a release, and for a change. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.bom.licensing import said
from registry.bom.values import Bom, Component, Edge, Kind


@dataclass(frozen=True, slots=True)
class Updated:
    """A component that is another now: of another version, of other bytes, or from elsewhere."""

    before: Component
    after: Component


@dataclass(frozen=True, slots=True)
class Relicensed:
    """A component whose licence is said to be another; "" where nothing is said."""

    component: Component
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a bill has that the one before had not, and the reverse; each in the order of refs.

    One component may be both updated and relicensed. `tied` and `untied` are the edges between
    components that both bills have; that a new component is tied is no news of its own.
    """

    added: tuple[Component, ...] = ()
    removed: tuple[Component, ...] = ()
    updated: tuple[Updated, ...] = ()
    relicensed: tuple[Relicensed, ...] = ()
    tied: tuple[Edge, ...] = ()
    untied: tuple[Edge, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        every = (self.added, self.removed, self.updated, self.relicensed, self.tied, self.untied)
        return any(every)


def difference(before: Bom, after: Bom) -> Changes:
    """Compare two bills. Components are the same by ref, else by kind, role and name.

    Of several versions of one package, those that neither bill shares are paired in their order.
    """
    old = {one.ref: one for one in before.components}
    new = {one.ref: one for one in after.components}
    same = [(old[ref], new[ref]) for ref in sorted(old.keys() & new.keys())]
    gone = _by_name(old[ref] for ref in sorted(old.keys() - new.keys()))
    come = _by_name(new[ref] for ref in sorted(new.keys() - old.keys()))
    pairs: list[tuple[Component, Component]] = []
    added: list[Component] = []
    removed: list[Component] = []
    for key in sorted(gone.keys() | come.keys()):
        left, right = gone.get(key, []), come.get(key, [])
        pairs += zip(left, right, strict=False)
        removed += left[len(right) :]
        added += right[len(left) :]
    changed = [pair for pair in same if _bytes(pair[0]) != _bytes(pair[1])]
    tied, untied = _edges(before, after, [*same, *pairs])
    return Changes(
        tuple(sorted(added, key=_ref)),
        tuple(sorted(removed, key=_ref)),
        tuple(Updated(*pair) for pair in sorted([*changed, *pairs], key=lambda p: _ref(p[1]))),
        tuple(_relicensed([*same, *pairs])),
        tied,
        untied,
    )


def _ref(one: Component) -> str:
    return one.ref


def _bytes(one: Component) -> tuple[object, ...]:
    return one.version, one.hashes, one.source


def _by_name(found: Iterable[Component]) -> dict[tuple[Kind, str, str], list[Component]]:
    named: dict[tuple[Kind, str, str], list[Component]] = {}
    for one in found:
        role = dict(one.properties).get("role", "")
        named.setdefault((one.kind, role, one.name), []).append(one)
    return named


def _relicensed(pairs: Iterable[tuple[Component, Component]]) -> Iterable[Relicensed]:
    for before, after in sorted(pairs, key=lambda pair: _ref(pair[1])):
        was, now = said(before.licence), said(after.licence)
        if was.expression != now.expression:
            shown = ("" if one.how == "unknown" else one.text for one in (was, now))
            yield Relicensed(after, *shown)


def _edges(
    before: Bom, after: Bom, pairs: Iterable[tuple[Component, Component]]
) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    now = {old.ref: new.ref for old, new in pairs}
    known = set(now.values())
    old = {
        Edge(now[edge.of], edge.tie, now[edge.to])
        for edge in before.edges
        if edge.of in now and edge.to in now
    }
    new = {edge for edge in after.edges if edge.of in known and edge.to in known}
    return _sorted(new - old), _sorted(old - new)


def _sorted(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (edge.of, edge.tie, edge.to)))
