"""Elements of an SPDX 3 document: packages, models, data sets, files, agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lab.metrics.measure import Measurement
from registry.bom.described import NOTHING, Described
from registry.bom.hashes import is_hash, swhid
from registry.bom.licensing import NOASSERTION
from registry.bom.modelcard import figure, metered, metric, trained
from registry.bom.naming import paragraph, plain, public
from registry.bom.values import Component, Kind

_CLASSES: dict[Kind, tuple[str, str]] = {
    "application": ("software_Package", "application"),
    "package": ("software_Package", "library"),
    "model": ("ai_AIPackage", "model"),
    "adapter": ("ai_AIPackage", "model"),
    "data": ("dataset_DatasetPackage", "data"),
    "file": ("software_File", "file"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the making: `base` begins every id, `date` is that of the commit."""

    base: str
    date: str

    @property
    def created(self) -> dict[str, Any]:
        """Who made the document, and when."""
        return {
            "type": "CreationInfo",
            "@id": "_:created",
            "specVersion": "3.0.1",
            "created": self.date,
            "createdBy": [self.creator["spdxId"]],
        }

    @property
    def creator(self) -> dict[str, Any]:
        """The software that made the document."""
        return self.element("SoftwareAgent", "agent:modelwarden") | {"name": "Modelwarden"}

    def id(self, ref: str) -> str:
        """Return the id of a component, from its ref: of this document, and of no other."""
        return f"{self.base}#{quote(ref, safe=':/@?=&+,-._~', errors='backslashreplace')}"

    def element(self, kind: str, name: str) -> dict[str, Any]:
        """Return what every element has; no name is the document itself."""
        spdx_id = f"{self.base}#{name}" if name else self.base
        return {"type": kind, "spdxId": spdx_id, "creationInfo": "_:created"}

    def tie(self, ref: str, kind: str, to: list[str], name: str = "") -> dict[str, Any]:
        """Return a relationship from a component; `name` tells those of one kind apart."""
        start = self.id(ref)
        made = {"type": "Relationship", "creationInfo": "_:created"}
        made["spdxId"] = f"{self.base}#tie:{name or kind}:{start.partition('#')[2]}"
        return made | {"from": start, "relationshipType": kind, "to": to}

    @property
    def nobody(self) -> dict[str, Any]:
        """Whoever it was: for what nobody states."""
        return self.element("Agent", "agent:unknown") | {"name": NOASSERTION}

    def project(self, source: str) -> dict[str, Any]:
        """The project as the supplier of its own model, named by its address."""
        name = plain(public(source)) or NOASSERTION
        return self.element("Agent", "agent:project") | {"name": name}


def element(document: Document, one: Component, described: Described | None) -> dict[str, Any]:
    """Return the element of a component; `described` is what is said of the project's model."""
    nobody = document.nobody["spdxId"]
    kind, purpose = _CLASSES[one.kind]
    made = document.element(kind, "") | {
        "spdxId": document.id(one.ref),
        "name": plain(one.name),
        "software_primaryPurpose": purpose,
        "comment": _comment(one),
        "verifiedUsing": [
            {"type": "Hash", "algorithm": name, "hashValue": digest}
            for name, digest in one.hashes
            if is_hash(name, digest)
        ],
        "externalIdentifier": _identifiers(one),
    }
    if one.kind != "file":
        made |= _package(one)
    if one.kind == "data":
        made |= {
            "dataset_datasetType": ["noAssertion"],
            "builtTime": document.date,
            "releaseTime": document.date,
            "originatedBy": [nobody],
        } | _size(one)
    if one.kind in ("model", "adapter"):
        made |= _model(described or NOTHING)
        if described is None:
            made["suppliedBy"] = nobody
        else:
            ours = document.project(one.source)["spdxId"]
            made |= {"suppliedBy": ours, "releaseTime": document.date}
    return {name: value for name, value in made.items() if value not in ("", [], {})}


def _package(one: Component) -> dict[str, Any]:
    stated = one.kind in ("model", "adapter", "data")
    unknown = NOASSERTION if stated else ""
    return {
        "software_packageVersion": plain(one.version) or (unknown if one.kind != "data" else ""),
        "software_packageUrl": one.ref if one.ref.startswith("pkg:") else "",
        "software_downloadLocation": public(one.source) or unknown,
    }


def _identifiers(one: Component) -> list[dict[str, str]]:
    found = [("swhid", swhid(*pair)) for pair in one.hashes]
    found += [("packageUrl", one.ref)] if one.ref.startswith("pkg:") else []
    return [
        {"type": "ExternalIdentifier", "externalIdentifierType": kind, "identifier": text}
        for kind, text in sorted(set(found))
        if text
    ]


def _comment(one: Component) -> str:
    told = [f"{name}: {value}" for name, value in one.properties]
    told += [f"found: {one.found}"] if one.found else []
    told += [f"{name}: {digest}" for name, digest in one.hashes if not is_hash(name, digest)]
    if one.kind == "package" and len(one.hashes) > 1:
        told.append("each hash is of one file of this package")
    return plain("; ".join(told), 4_000)


def _size(one: Component) -> dict[str, Any]:
    size = dict(one.properties).get("size", "")
    known = size.isascii() and size.isdigit() and len(size) < 19
    return {"dataset_datasetSize": int(size)} if known else {}


def _model(described: Described) -> dict[str, Any]:
    about, named = described.about, dict(described.hyperparameters)
    types = (about.architecture, named.get("model_type", ""))
    return {
        "ai_typeOfModel": [plain(text) for text in dict.fromkeys(types) if text],
        "ai_hyperparameter": [_entry(n, value) for n, value in described.hyperparameters],
        "ai_metric": [
            _entry(_about(found), _figure(found))
            for record in described.measurements
            for found in record.measurements
        ],
        "ai_domain": [plain(about.task)] if about.task else [],
        "ai_limitation": paragraph(about.limits),
        "ai_informationAboutApplication": paragraph(about.uses),
        "ai_informationAboutTraining": paragraph(about.data),
        "ai_energyConsumption": _energy(described),
        "summary": paragraph(about.summary),
    }


def _entry(key: str, value: str) -> dict[str, str]:
    return {"type": "DictionaryEntry", "key": plain(key), "value": plain(value)}


def _about(found: Measurement) -> str:
    return metric(found) + (f", {found.slice}" if found.slice else "")


def _figure(found: Measurement) -> str:
    if found.low is None or found.high is None:
        return f"{figure(found.value)} (n={found.n})"
    covers = f"{100 * (1 - found.alpha):g}% interval"
    bounds = f"{figure(found.low)} to {figure(found.high)}"
    return f"{figure(found.value)} ({covers} {bounds}, n={found.n})"


def _energy(described: Described) -> dict[str, Any]:
    """Return what is known of the energy that training took, and using it to measure it."""
    spent = {
        "ai_trainingEnergyConsumption": trained(described),
        "ai_inferenceEnergyConsumption": metered(described),
    }
    found = {
        name: [
            {
                "type": "ai_EnergyConsumptionDescription",
                "ai_energyQuantity": f"{kwh:.9f}",
                "ai_energyUnit": "kilowattHour",
            }
        ]
        for name, kwh in spent.items()
        if kwh > 0
    }
    return {"type": "ai_EnergyConsumption", **found} if found else {}
