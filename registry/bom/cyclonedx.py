"""CycloneDX 1.7 ML-BOM as JSON: the same bytes for the same bill.

Written as plain dicts: cyclonedx-python-lib has no class for a model card. The tests hold the
output against the official schema. https://cyclonedx.org/docs/1.7/json/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from registry.bom.described import NOTHING, Described, identity, model_of, moment
from registry.bom.hashes import is_hash, swhid
from registry.bom.licensing import said
from registry.bom.modelcard import card
from registry.bom.naming import plain, public
from registry.bom.values import Bom, Component, Edge, Kind, Tie
from registry.bom.writing import write

VERSION = "1.7"
_TYPES: dict[Kind, str] = {
    "application": "application",
    "package": "library",
    "model": "machine-learning-model",
    "adapter": "machine-learning-model",
    "data": "data",
    "file": "file",
}
_ALGORITHMS = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "blake3": "BLAKE3",
}
_ANCESTRY: tuple[Tie, ...] = ("finetunes", "distils_from", "merges", "quantises")
_OURS = "modelwarden:"
_NOWHERE = "urn:modelwarden:unstated"  # the format wants an address; none is known


def dump(bom: Bom, described: Described = NOTHING) -> bytes:
    """Return the bill as CycloneDX JSON. Raises ReleaseError for a date that is none."""
    ties = _Ties(bom)
    model = model_of(bom)
    made = {
        one.ref: _component(one, ties, described if one == model else None)
        for one in bom.components
    }
    inside = ties.nest(made)
    subject = made.get(bom.subject)
    listed = [made[ref] for ref in sorted(made) if ref not in inside and ref != bom.subject]
    metadata: dict[str, Any] = {
        "timestamp": moment(bom.date),
        "tools": {"components": [{"type": "application", "name": "modelwarden"}]},
    }
    document: dict[str, Any] = {
        "$schema": f"http://cyclonedx.org/schema/bom-{VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": f"urn:uuid:{identity(bom, described)}",
        "version": 1,
        "metadata": metadata | ({"component": subject} if subject else {}),
        "components": listed,
        "dependencies": ties.graph(sorted(made.keys() - inside)),
        "compositions": [_composition(bom)] if subject else [],
    }
    return write(document)


class _Ties:
    """The edges of a bill by where they start; those that lead out of it are left out."""

    def __init__(self, bom: Bom) -> None:
        self.subject = bom.subject
        self.by_ref = {one.ref: one for one in bom.components}
        self.of: dict[str, list[Edge]] = {}
        for edge in bom.edges:
            if edge.of in self.by_ref and edge.to in self.by_ref and edge.of != edge.to:
                self.of.setdefault(edge.of, []).append(edge)

    def to(self, ref: str, *ties: Tie) -> list[Component]:
        return [self.by_ref[edge.to] for edge in self.of.get(ref, ()) if edge.tie in ties]

    def nest(self, made: Mapping[str, dict[str, Any]]) -> set[str]:
        """Put files into what embeds them, each into the first; return which were put."""
        inside: set[str] = set()
        for ref, one in made.items():
            files = [c.ref for c in self.to(ref, "embeds") if c.kind == "file"]
            fresh = [name for name in files if name not in inside and name != self.subject]
            if fresh and self.by_ref[ref].kind != "file":
                one["components"] = [made[name] for name in sorted(set(fresh))]
                inside.update(fresh)
        return inside

    def graph(self, refs: Iterable[str]) -> list[dict[str, Any]]:
        known = set(refs)
        found = []
        for ref in sorted(known):
            needs = sorted({e.to for e in self.of.get(ref, ()) if e.to in known})
            found.append({"ref": ref, **({"dependsOn": needs} if needs else {})})
        return found


def _component(one: Component, ties: _Ties, described: Described | None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": _TYPES[one.kind],
        "bom-ref": one.ref,
        "name": plain(one.name),
        "licenses": [_licence(one)] if one.kind != "file" else [],
        "properties": _properties(one, ties),
        "swhid": sorted({swhid(*pair) for pair in one.hashes} - {""}),
    }
    hashes = [
        {"alg": _ALGORITHMS[name], "content": digest}
        for name, digest in one.hashes
        if is_hash(name, digest)
    ]
    if one.version:
        made["version"] = plain(one.version)
    if one.ref.startswith("pkg:"):
        made["purl"] = one.ref
    place = public(one.source)
    if one.kind == "package":
        made["externalReferences"] = _distribution(one, place, hashes)
    else:
        made["hashes"] = hashes
        made["externalReferences"] = [{"type": "vcs", "url": place}] if place else []
    if one.kind == "data":
        made["data"] = [{"type": "dataset", "name": plain(one.name)}]
    if one.kind in ("model", "adapter"):
        made |= _model(one, ties, described or NOTHING)
    return {name: value for name, value in made.items() if value not in ([], {})}


def _model(one: Component, ties: _Ties, described: Described) -> dict[str, Any]:
    sets = [{"ref": held.ref} for held in ties.to(one.ref, "trains_on")]
    ancestors = [
        {"type": _TYPES[base.kind], "name": plain(base.name)}
        | ({"version": plain(base.version)} if base.version else {})
        for base in ties.to(one.ref, *_ANCESTRY)
    ]
    return {
        "modelCard": card(described, sets),
        "pedigree": {"ancestors": ancestors} if ancestors else {},
    }


def _distribution(one: Component, place: str, hashes: list[dict[str, str]]) -> list[dict[str, Any]]:
    # A lock gives the hashes of every file of a package, and any of them may be installed.
    if not hashes and not place:
        return []
    public_index = "https://pypi.org/simple" if one.ref.startswith("pkg:pypi/") else _NOWHERE
    found: dict[str, Any] = {"type": "distribution", "url": place or public_index}
    if hashes:
        found |= {"hashes": hashes, "comment": "each hash is of one file of this package"}
    return [found]


def _licence(one: Component) -> dict[str, Any]:
    known = said(one.licence)
    if known.how == "expression":
        return {"expression": known.text, "acknowledgement": "declared"}
    key = "id" if known.how == "id" else "name"
    declared = {} if known.how == "unknown" else {"acknowledgement": "declared"}
    return {"license": {key: known.text} | declared}


def _properties(one: Component, ties: _Ties) -> list[dict[str, str]]:
    found = [*one.properties, *([("found", one.found)] if one.found else [])]
    found += [pair for pair in one.hashes if not is_hash(*pair)]
    # The dependency graph of the format has one kind of edge; ours says which.
    edges = [(edge.tie, edge.to) for edge in ties.of.get(one.ref, ()) if edge.tie != "links"]
    told = {(plain(name), plain(value)) for name, value in found}.union(edges)
    return [{"name": _OURS + name, "value": value} for name, value in sorted(told)]


def _composition(bom: Bom) -> dict[str, Any]:
    subject = next(one for one in bom.components if one.ref == bom.subject)
    unread = any(name == "unread" for name, _ in subject.properties)
    return {"aggregate": "incomplete" if unread else "unknown", "assemblies": [bom.subject]}
