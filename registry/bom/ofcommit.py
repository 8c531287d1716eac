"""The bill of a commit as it stands, whether or not anything is released from it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.bom.naming import plain, public, urn
from registry.bom.packages import Packages
from registry.bom.values import Bom, Component, Edge


@dataclass(frozen=True, slots=True)
class Subject:
    """The project at a commit: `date` in UTC, `licence` of its code, "" where none is known.

    `unread` are manifests and lines that could not be read: what they name is not in the bill.
    """

    name: str
    commit: str
    date: str
    repository: str = ""
    licence: str = ""
    unread: tuple[str, ...] = ()


def build(
    subject: Subject,
    packages: Packages,
    components: Sequence[Component] = (),
    edges: Iterable[Edge] = (),
) -> Bom:
    """Return the bill: the application links its packages; `components` are its other assets.

    An edge `of` "" starts at the application. Components that no edge reaches are embedded.
    """
    application = _application(subject, packages.unread)
    tied = [Edge(edge.of or application.ref, edge.tie, edge.to) for edge in edges]
    reached = {edge.to for edge in tied} | {edge.of for edge in tied}
    tied += [Edge(application.ref, "links", one.ref) for one in packages.components]
    tied += packages.links
    tied += [Edge(application.ref, "embeds", c.ref) for c in components if c.ref not in reached]
    every = (application, *packages.components, *components)
    return Bom(
        application.ref,
        subject.date,
        tuple(sorted({one.ref: one for one in every}.values(), key=lambda one: one.ref)),
        tuple(sorted(set(tied), key=lambda edge: (edge.of, edge.tie, edge.to))),
    )


def _application(subject: Subject, lines: tuple[str, ...]) -> Component:
    unread = dict.fromkeys((*subject.unread, *lines))
    return Component(
        ref=urn("application", subject.name, subject.commit),
        kind="application",
        name=plain(subject.name),
        licence=subject.licence,
        hashes=(("git-commit", subject.commit),),
        source=public(subject.repository),
        properties=tuple(("unread", plain(line)) for line in unread),
    )
