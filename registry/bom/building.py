"""The bill of a release: the project's code, its packages, the model, and what made it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from registry.bom.licensing import said
from registry.bom.naming import plain, public, urn
from registry.bom.packages import Licences, Locked, packages
from registry.bom.values import Bom, Component, Edge, Kind, Tie
from registry.release.pages.about import About
from registry.release.values import Artifact, Pointed, Release

# What is said of a model (registry/release/pages/about.py) as the tie to what it comes from.
RELATIONS: dict[str, Tie] = {
    "finetune": "finetunes",
    "adapter": "finetunes",
    "merge": "merges",
    "quantized": "quantises",
}


Assets = tuple[Sequence[Component], Sequence[Edge]]  # as registry/assets/graph.py gives them


def build(
    release: Release,
    locks: Sequence[Locked],
    licences: Licences,
    about: About,
    assets: Assets = ((), ()),
) -> Bom:
    """Return the bill of a release, from what its commit binds; outputs do not count.

    The subject is the application, the project's own code: it links packages and embeds the
    model. `locks` are the release's lock files with their bytes, `assets` what the commit's files
    name as models and data. Raises ReleaseError for a lock that cannot be read.
    """
    found = packages(locks, licences)
    application = _application(release, found.unread)
    model = _model(release, about)
    files = tuple(_files(release.weights))
    data = tuple(_data(release, one) for one in release.data)
    suites = tuple(_suites(release))
    named, ties = _renamed(assets, release.weights.path, application, model)
    held = {one.ref: one for one in named}
    bases = tuple(_base(name, held) for name in dict.fromkeys(about.base_models))
    tie = RELATIONS.get(about.relation, "finetunes")
    edges = [Edge(application.ref, "embeds", model.ref)]
    edges += _edges(application, "links", found.components)
    edges += _edges(model, "embeds", files)
    edges += _edges(model, "trains_on", data)
    edges += _edges(model, tie, bases)
    edges += _edges(model, "evaluates_on", suites)
    edges += [*ties, *found.links]
    every = (*named, application, *found.components, model, *files, *data, *suites, *bases)
    return Bom(
        application.ref,
        release.date,
        tuple(sorted({one.ref: one for one in every}.values(), key=lambda one: one.ref)),
        tuple(sorted(set(edges), key=lambda edge: (edge.of, edge.tie, edge.to))),
    )


def _edges(of: Component, tie: Tie, to: Iterable[Component]) -> list[Edge]:
    return [Edge(of.ref, tie, one.ref) for one in to]


def _application(release: Release, unread: tuple[str, ...]) -> Component:
    return Component(
        ref=urn("application", release.artifact, release.commit),
        kind="application",
        name=plain(release.artifact),
        version=plain(release.version),
        licence=_licence(release, "code"),
        hashes=(("git-commit", release.commit),),
        source=public(release.repository),
        properties=(("tag", plain(release.tag)), *(("unread", line) for line in unread)),
    )


def _model(release: Release, about: About) -> Component:
    weights = release.weights
    return Component(
        ref=urn("model", release.artifact, weights.root or _bound(weights) or release.commit),
        kind="model",
        name=plain(release.artifact),
        version=plain(release.version),
        licence=_licence(release, "weights"),
        hashes=_hashes(weights.pointers) if not weights.files else (),
        source=public(release.repository),
        found=_sources(weights),
        properties=_properties(
            path=weights.path,
            root=weights.root,
            fingerprint=release.fingerprint,
            size=_size(weights),
            architecture=about.architecture,
            parameters=str(about.parameters or ""),
        ),
    )


def _files(weights: Artifact) -> Iterator[Component]:
    for entry in weights.files:
        yield Component(
            ref=urn("file", entry.path, entry.digest),
            kind="file",
            name=plain(entry.path),
            hashes=((entry.algorithm, entry.digest),),
            properties=_properties(size=str(entry.size)),
        )


def _data(release: Release, one: Artifact) -> Component:
    only = one.files[0] if len(one.files) == 1 and one.files[0].path == one.path else None
    return _component(
        "data",
        one.path,
        one.root or _bound(one),
        licence=_licence(release, "data", one.path),
        hashes=((only.algorithm, only.digest),) if only else _hashes(one.pointers),
        source=public(release.repository),
        found=_sources(one),
        properties=_properties(
            role="training", root=one.root, size=_size(one), files=str(_count(one) or "")
        ),
    )


def _suites(release: Release) -> Iterator[Component]:
    for record in release.measurements:
        yield _component(
            "data",
            record.task,
            record.items,
            hashes=(("sha256", record.items),),
            properties=_properties(role="evaluation", items=str(record.of), data=record.data),
        )


def _base(name: str, held: Mapping[str, Component]) -> Component:
    base = _component("model", name, "", properties=(("role", "base"),))
    known = held.get(base.ref, base)
    return replace(base, licence=known.licence, found=known.found)


def _renamed(
    assets: Assets, folder: str, application: Component, model: Component
) -> tuple[list[Component], list[Edge]]:
    """Return assets with the release's own model in the place of what its folder makes."""
    names = {urn(kind, folder or "."): model.ref for kind in ("model", "adapter")}
    names[""] = application.ref
    components = [one for one in assets[0] if one.ref not in names]
    edges = [Edge(names.get(e.of, e.of), e.tie, names.get(e.to, e.to)) for e in assets[1]]
    return components, edges


def _component(
    kind: Kind, name: str, digest: str, *, licence: str = "",
    hashes: tuple[tuple[str, str], ...] = (), source: str = "", found: str = "",
    properties: tuple[tuple[str, str], ...] = (),
) -> Component:  # fmt: skip
    ref = urn(kind, name, digest)
    return Component(ref, kind, plain(name), "", licence, hashes, source, found, properties)


def _licence(release: Release, of: str, name: str = "") -> str:
    """Return what is stated, normalised; "" where nothing is, or nothing that can be read."""
    for one in release.licences:
        if one.of == of and name in ("", one.name):
            known = said(one.expression)
            return "" if known.how == "unknown" else known.text
    return ""


def _hashes(pointers: Sequence[Pointed]) -> tuple[tuple[str, str], ...]:
    """Return the digest of the one file that there is; of several, each is another file's."""
    names = {"blob": "git-blob", "lfs": "sha256", "dvc": "md5", "dvc-folder": "dvc-folder"}
    if len(pointers) != 1 or not pointers[0].digest or pointers[0].kind not in names:
        return ()
    return ((names[pointers[0].kind], pointers[0].digest),)


def _bound(one: Artifact) -> str:
    """Return one digest for what pointers name, "" where nothing is named."""
    digests = [pointer.digest for pointer in one.pointers]
    if len(digests) < 2:
        return "".join(digests)
    lines = sorted(f"{pointer.path} {pointer.digest}\n" for pointer in one.pointers)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _size(one: Artifact) -> str:
    known = one.files or (one.pointers and all(p.size >= 0 for p in one.pointers))
    return str(one.size) if known else ""


def _count(one: Artifact) -> int:
    folder = any(pointer.kind == "dvc-folder" for pointer in one.pointers)
    return len(one.files) or (0 if folder else len(one.pointers))


def _sources(one: Artifact) -> str:
    return plain(", ".join(sorted({pointer.source for pointer in one.pointers})))


def _properties(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, plain(value)) for name, value in values.items() if value)
