"""The assets of a tree as components and edges of a bill of materials."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from registry.assets.reading import is_demo
from registry.assets.values import Told, Use
from registry.bom.naming import plain, urn
from registry.bom.values import Component, Edge, Kind

PROJECT = ""  # stands for the application itself, as in registry/bom/ofcommit.py


Licences = Callable[[Use, str], str]  # a use and the file that names it to an expression or ""


def graph(
    files: Iterable[tuple[str, Told]], licences: Licences, subject: str = PROJECT
) -> tuple[tuple[Component, ...], tuple[Edge, ...]]:
    """Return what files (path, what is told) name, and how: components by ref, edges sorted.

    Weights and data sets that a file makes are components of their own, which `subject` embeds;
    what code loads is tied to `subject`. Files that only test or show do not count.
    """
    components: dict[str, Component] = {}
    edges: set[Edge] = set()
    for path, told in sorted(files, key=lambda file: file[0]):
        if is_demo(path):
            continue
        for use in (use for use in told.uses if use.sure):
            made = maker(path, told, use)
            if made is not None:
                components.setdefault(made.ref, made)
                edges.add(Edge(subject, "embeds", made.ref))
            asset = component(use, path, licences(use, path))
            components.setdefault(asset.ref, asset)
            edges.add(Edge(made.ref if made else subject, use.tie, asset.ref))
    ordered = sorted(components.values(), key=lambda one: one.ref)
    return tuple(ordered), tuple(sorted(edges, key=lambda e: (e.of, e.tie, e.to)))


def component(use: Use, path: str, licence: str = "") -> Component:
    """Return the component a use names; a hub's model has no digest in a file that names it."""
    name = plain(use.name)
    return Component(
        urn(use.kind, name), use.kind, name, licence=licence, found=f"{path}:{use.line}"
    )


def maker(path: str, told: Told, use: Use) -> Component | None:
    """Return what a file makes with an asset: weights or data of its folder, None for code."""
    if not use.firm:
        return None
    kind: Kind = (
        "data" if told.makes == "data" else "adapter" if told.makes == "adapter" else "model"
    )
    folder = posixpath.dirname(path) or "."
    licence = told.stated.license if told.stated is not None else ""
    return Component(urn(kind, folder), kind, folder, licence=licence, found=path)
