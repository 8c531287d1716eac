"""SPDX 3.0.1: valid under the official schema and the official model, whatever the bill."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from spdx_python_model import v3_0_1 as model

from registry.bom import spdx
from registry.bom.building import build
from registry.bom.described import Described
from registry.bom.values import Bom, Component, Edge, Kind
from registry.errors import ReleaseError
from tests.registry.bom.given import ABOUT, DESCRIBED, RELEASE, boms, descriptions, licence, locks

SCHEMA = Path(__file__).parents[2] / "vectors/spdx/spdx-3.0.1.schema.json"
BOM = build(RELEASE, locks(), licence, ABOUT)
DATE = "2026-10-01T12:00:00Z"
UNKNOWN = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    # jsonschema takes 12 s for one release: a class is told from 60 others by trying them.
    return jsonschema_rs.Draft202012Validator(json.loads(SCHEMA.read_text()))


def valid(data: bytes) -> dict[str, dict[str, Any]]:
    found = json.loads(data)
    validator().validate(found)
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(data), objects)
    missing = {one for one in objects.missing_ids if "ExpandedLicensing" not in one}
    assert not missing, missing
    elements = [one for one in found["@graph"] if "spdxId" in one]
    assert len({one["spdxId"] for one in elements}) == len(elements)
    (whole,) = [one for one in elements if one["type"] == "SpdxDocument"]
    assert sorted(whole["element"]) == sorted({e["spdxId"] for e in elements} - {whole["spdxId"]})
    _profiles_hold(elements)
    return {one["spdxId"].partition("#")[2]: one for one in elements}


def _profiles_hold(elements: list[dict[str, Any]]) -> None:
    """What the profiles of models and data demand of each, beyond the schema."""
    for one in elements:
        if one["type"] in ("ai_AIPackage", "dataset_DatasetPackage"):
            for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
                ties = [e for e in elements if e.get("relationshipType") == kind]
                assert len([e for e in ties if e["from"] == one["spdxId"]]) == 1
            assert one["software_downloadLocation"]
            assert one["software_primaryPurpose"]
        if one["type"] == "ai_AIPackage":
            assert one["suppliedBy"]
            assert one["software_packageVersion"]
        if one["type"] == "dataset_DatasetPackage":
            assert one["builtTime"] == one["releaseTime"]
            assert len(one["originatedBy"]) == 1


def ties(found: dict[str, dict[str, Any]], kind: str) -> set[tuple[str, str]]:
    names = {one["spdxId"]: one.get("name", key) for key, one in found.items()}
    return {
        (names[one["from"]], names.get(to, to))
        for one in found.values()
        if one.get("relationshipType") == kind
        for to in one["to"]
    }


def test_a_release() -> None:
    found = valid(spdx.dump(BOM, DESCRIBED))
    whole = found[""]
    assert whole["profileConformance"] == ["core", "software", "simpleLicensing", "ai", "dataset"]
    (root,) = found["sbom"]["rootElement"]
    assert root.endswith(f"#urn:modelwarden:application:acme/small@{'c' * 40}")
    torch = found["pkg:pypi/torch@2.13.0"]
    assert torch["software_packageUrl"] == "pkg:pypi/torch@2.13.0"
    assert [one["hashValue"] for one in torch["verifiedUsing"]] == ["1" * 64, "2" * 64]
    assert ties(found, "dependsOn") == {("acme/small", "torch"), ("acme/small", "numpy")}
    assert ties(found, "trainedOn") == {("acme/small", "data/train.txt")}
    assert ties(found, "testedOn") == {("acme/small", "quiz")}
    assert ties(found, "descendantOf") == {("acme/small", "acme/base")}
    assert ("acme/small", "model.safetensors") in ties(found, "contains")


def test_a_model() -> None:
    found = valid(spdx.dump(BOM, DESCRIBED))
    (one,) = [
        e for e in found.values() if (e["type"], e.get("name")) == ("ai_AIPackage", "acme/small")
    ]
    assert one["releaseTime"] == DATE
    assert one["ai_typeOfModel"] == ["LlamaForCausalLM", "llama"]
    assert one["ai_limitation"] == "Knows little."
    assert "ai_autonomyType" not in one
    assert [(e["key"], e["value"]) for e in one["ai_hyperparameter"]] == [
        ("model_type", "llama"), ("hidden_size", "64"),
    ]  # fmt: skip
    assert [(e["key"], e["value"]) for e in one["ai_metric"]] == [
        ("accuracy on quiz", "0.5 (95% interval 0.4 to 0.6, n=50)"),
        ("accuracy on quiz, language=de", "0.25 (n=8)"),
    ]
    spent = one["ai_energyConsumption"]
    assert {
        key: value[0]["ai_energyQuantity"] for key, value in spent.items() if key != "type"
    } == {
        "ai_trainingEnergyConsumption": "1.000000000",
        "ai_inferenceEnergyConsumption": "0.002000000",
    }


@pytest.mark.parametrize(
    ("expression", "declared"),
    [
        ("MIT", "MIT"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("gemma", "LicenseRef-gemma"),
        ("openrail++ AND MIT", "LicenseRef-openrail-plus-plus AND MIT"),
        ("", ""),
        ("other", ""),
        ("whatever you like", ""),
    ],
)
def test_licences(expression: str, declared: str) -> None:
    one = Component("pkg:pypi/a@1", "package", "a", "1", expression)
    found = valid(spdx.dump(Bom("", DATE, (one,))))
    ((_, to),) = ties(found, "hasDeclaredLicense")
    text = found[to]["simplelicensing_licenseExpression"] if declared else UNKNOWN
    assert text == (declared or to)


@pytest.mark.parametrize("kind", ["application", "package", "model", "adapter", "data", "file"])
def test_a_bill_of_one(kind: Kind) -> None:
    one = Component("urn:x:one", kind, "", "")
    found = valid(spdx.dump(Bom("urn:x:one", DATE, (one,), (Edge("urn:x:one", "links", "no"),))))
    assert found["sbom"]["rootElement"] == [found["urn:x:one"]["spdxId"]]


def test_the_same_bill_is_the_same_bytes() -> None:
    assert spdx.dump(BOM, DESCRIBED) == spdx.dump(BOM, DESCRIBED)
    other = replace(BOM, date="2026-10-02T00:00:00+02:00")
    assert json.loads(spdx.dump(other))["@graph"][0]["created"] == "2026-10-01T22:00:00Z"
    with pytest.raises(ReleaseError, match="date of a bill"):
        spdx.dump(replace(BOM, date="2026-10-02"))


def test_no_document_speaks_of_another() -> None:
    first, second = (
        {e["spdxId"] for e in json.loads(spdx.dump(bom))["@graph"] if "spdxId" in e}
        for bom in (BOM, replace(BOM, date="2026-10-02T12:00:00Z"))
    )
    assert not first & second


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(boms(), descriptions())
def test_any_bill_is_valid(bom: Bom, described: Described) -> None:
    data = spdx.dump(bom, described)
    valid(data)
    assert data.decode().replace("\n", "").isprintable()
    assert b"u:p@" not in data
