"""SPDX 3.0.1 as JSON-LD, profiles core, software, ai, dataset and simpleLicensing.

The same bytes for the same bill. What a profile demands and nobody says is NOASSERTION.
https://spdx.github.io/spdx-spec/v3.0.1/
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any
from urllib.parse import quote

from registry.bom.described import NOTHING, Described, identity, model_of, moment
from registry.bom.licensing import NOASSERTION, said
from registry.bom.spdxelements import Document, element
from registry.bom.values import Bom, Tie
from registry.bom.writing import write

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
TERMS = "https://spdx.org/rdf/3.0.1/terms"
_TIES: dict[Tie, str] = {
    "links": "dependsOn",
    "vendors": "contains",
    "embeds": "contains",
    "trains_on": "trainedOn",
    "evaluates_on": "testedOn",
    "finetunes": "descendantOf",
    "distils_from": "descendantOf",
    "merges": "descendantOf",
    "quantises": "descendantOf",
}
_UNKNOWN = f"{TERMS}/ExpandedLicensing/NoAssertionLicense"
_COMMENT = (
    "Times are the commit's: by then a thing was as its digest says."
    " NOASSERTION stands for what nobody states."
)


def dump(bom: Bom, described: Described = NOTHING) -> bytes:
    """Return the bill as SPDX JSON-LD. Raises ReleaseError for a date that is none."""
    document = Document(f"urn:uuid:{identity(bom, described)}", moment(bom.date))
    model = model_of(bom)
    parts = {one.ref: one for one in bom.components}
    subject = parts.get(bom.subject)
    project = document.project(subject.source if subject else "")
    elements = [document.creator, document.nobody, project]
    for ref in sorted(parts):
        told = described if parts[ref] == model else None
        elements.append(element(document, parts[ref], told))
    elements += _licences(bom, document)
    elements += _relationships(bom, document, parts.keys())
    ids = [one["spdxId"] for one in elements]
    roots = [document.id(bom.subject)] if subject else ids[:1]
    sbom = document.element("software_Sbom", "sbom") | {
        "rootElement": roots,
        "element": ids,
        "profileConformance": _profiles(bom),
        "software_sbomType": ["source"],
    }
    whole = document.element("SpdxDocument", "") | {
        "rootElement": [sbom["spdxId"]],
        "element": [*ids, sbom["spdxId"]],
        "profileConformance": _profiles(bom),
        "comment": _COMMENT,
    }
    graph = [document.created, whole, sbom, *elements]
    return write({"@context": CONTEXT, "@graph": graph})


def _profiles(bom: Bom) -> list[str]:
    """Return the profiles whose classes are used."""
    kinds = {one.kind for one in bom.components}
    found = ["core", "software", "simpleLicensing"]
    found += ["ai"] if kinds & {"model", "adapter"} else []
    return found + (["dataset"] if "data" in kinds else [])


def _licences(bom: Bom, document: Document) -> Iterator[dict[str, Any]]:
    """Yield each expression once, and what is declared of each component.

    The profiles of models and data also want what was concluded: nobody concluded anything.
    """
    named: dict[str, str] = {NOASSERTION: _UNKNOWN}
    parts = {one.ref: one for one in bom.components if one.kind != "file"}
    for text in sorted({said(one.licence).expression for one in parts.values()} - {NOASSERTION}):
        made = document.element("simplelicensing_LicenseExpression", f"licence:{quote(text)}")
        named[text] = made["spdxId"]
        yield made | {"simplelicensing_licenseExpression": text}
    for ref in sorted(parts):
        to = [named[said(parts[ref].licence).expression]]
        yield document.tie(ref, "hasDeclaredLicense", to)
        if parts[ref].kind in ("model", "adapter", "data"):
            yield document.tie(ref, "hasConcludedLicense", [_UNKNOWN])


def _relationships(bom: Bom, document: Document, refs: Container[str]) -> Iterator[dict[str, Any]]:
    grouped: dict[tuple[str, Tie], set[str]] = {}
    for edge in bom.edges:
        if edge.of in refs and edge.to in refs:
            grouped.setdefault((edge.of, edge.tie), set()).add(edge.to)
    for (of, tie), to in sorted(grouped.items()):
        ends = [document.id(ref) for ref in sorted(to)]
        made = document.tie(of, _TIES[tie], ends, tie)
        yield made | ({"comment": tie} if _TIES[tie] in ("descendantOf", "contains") else {})
