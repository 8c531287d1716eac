"""CycloneDX: valid under the official schema whatever the bill, and the same every time."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cyclonedx.schema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import HealthCheck, given, settings
from packageurl import PackageURL

from registry.bom import cyclonedx as ours
from registry.bom.building import build
from registry.bom.described import NOTHING, Described
from registry.bom.values import Bom, Component
from registry.errors import ReleaseError
from registry.licenses.texts import spdx_ids
from tests.registry.bom.given import ABOUT, DESCRIBED, RELEASE, boms, descriptions, licence, locks

BOM = build(RELEASE, locks(), licence, ABOUT)


@cache
def validator(version: SchemaVersion) -> JsonStrictValidator:
    return JsonStrictValidator(version)


def valid(data: bytes) -> dict[str, Any]:
    assert (error := validator(SchemaVersion.V1_7).validate_str(data.decode())) is None, error
    found: dict[str, Any] = json.loads(data)
    refs = [one["bom-ref"] for one in components(found)]
    assert [ref for ref, times in Counter(refs).items() if times > 1] == []
    assert {d["ref"] for d in found["dependencies"]} <= set(refs)
    assert {to for d in found["dependencies"] for to in d.get("dependsOn", [])} <= set(refs)
    return found


def components(found: dict[str, Any]) -> list[dict[str, Any]]:
    top = [*found["components"], *filter(None, [found["metadata"].get("component")])]
    return [*top, *(inner for one in top for inner in one.get("components", []))]


def named(found: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    (one,) = [c for c in components(found) if (c["type"], c["name"]) == (kind, name)]
    return one


def test_a_release() -> None:
    found = valid(ours.dump(BOM, DESCRIBED))
    assert found["metadata"]["timestamp"] == "2026-10-01T12:00:00Z"
    subject = found["metadata"]["component"]
    assert (subject["type"], subject["name"], subject["version"]) == (
        "application", "acme/small", "1.2.0",
    )  # fmt: skip
    assert subject["swhid"] == ["swh:1:rev:" + "c" * 40]
    assert subject["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    torch = named(found, "library", "torch")
    assert torch["purl"] == "pkg:pypi/torch@2.13.0"
    assert [h["content"] for h in torch["externalReferences"][0]["hashes"]] == ["1" * 64, "2" * 64]
    assert torch["licenses"][0]["license"]["id"] == "BSD-3-Clause"
    assert named(found, "library", "numpy")["licenses"] == [{"license": {"name": "NOASSERTION"}}]
    data = named(found, "data", "data/train.txt")
    assert data["hashes"] == [{"alg": "MD5", "content": "5" * 32}]
    assert data["data"] == [{"type": "dataset", "name": "data/train.txt"}]


def test_a_model() -> None:
    found = valid(ours.dump(BOM, DESCRIBED))
    model = named(found, "machine-learning-model", "acme/small")
    assert model["licenses"] == [{"license": {"name": "gemma", "acknowledgement": "declared"}}]
    assert {one["name"]: one["hashes"] for one in model["components"]} == {
        "config.json": [{"alg": "SHA-256", "content": "d" * 64}],
        "model.safetensors": [{"alg": "SHA-256", "content": "e" * 64}],
    }
    assert [one["name"] for one in model["pedigree"]["ancestors"]] == ["acme/base"]
    card = model["modelCard"]
    train = named(found, "data", "data/train.txt")["bom-ref"]
    assert card["modelParameters"] == {
        "task": "text-generation",
        "architectureFamily": "llama",
        "modelArchitecture": "LlamaForCausalLM",
        "datasets": [{"ref": train}],
    }
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "accuracy on quiz",
            "value": "0.5",
            "confidenceInterval": {"lowerBound": "0.4", "upperBound": "0.6"},
        },
        {"type": "accuracy on quiz", "value": "0.25", "slice": "language=de"},
    ]
    spent = card["considerations"]["environmentalConsiderations"]["energyConsumptions"]
    assert [(one["activity"], one["activityEnergyCost"]["value"]) for one in spent] == [
        ("validation", 0.002),
        ("training", 1.0),
    ]
    ties = {p["name"]: p["value"] for p in model["properties"]}
    assert ties["modelwarden:finetunes"] == "urn:modelwarden:model:acme/base"
    assert ties["modelwarden:trains_on"] == train


def test_everything_is_reached_from_the_subject() -> None:
    found = valid(ours.dump(BOM, DESCRIBED))
    graph = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    reached, waiting = set(), [BOM.subject]
    while waiting:
        if (ref := waiting.pop()) not in reached:
            reached.add(ref)
            waiting += graph[ref]
    assert reached == set(graph)


def test_energy_that_was_only_estimated_is_not_told() -> None:
    (record,) = DESCRIBED.measurements
    guess = replace(record, usage=replace(record.usage, metered=False))
    about = replace(ABOUT, training_joules=None)
    found = valid(ours.dump(BOM, Described(about, (guess,))))
    card = named(found, "machine-learning-model", "acme/small")["modelCard"]
    assert "environmentalConsiderations" not in card["considerations"]


@pytest.mark.parametrize("joules", [float("inf"), float("nan"), -1.0, 0.0])
def test_energy_that_is_no_number_is_not_told(joules: float) -> None:
    (record,) = DESCRIBED.measurements
    odd = replace(record, usage=replace(record.usage, joules=joules))
    about = replace(ABOUT, training_joules=joules)
    found = valid(ours.dump(BOM, Described(about, (odd,))))
    card = named(found, "machine-learning-model", "acme/small")["modelCard"]
    assert "environmentalConsiderations" not in card["considerations"]


def test_readers_of_the_version_before_lose_nothing() -> None:
    text = ours.dump(BOM, DESCRIBED).decode().replace("1.7", "1.6")
    assert validator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize(
    ("change", "aggregate"), [((), "unknown"), ((("unread", "r.txt:3: what?"),), "incomplete")]
)
def test_how_far_the_bill_goes(change: tuple[tuple[str, str], ...], aggregate: str) -> None:
    parts = [replace(c, properties=change) if c.ref == BOM.subject else c for c in BOM.components]
    found = valid(ours.dump(replace(BOM, components=tuple(parts)), DESCRIBED))
    assert found["compositions"] == [{"aggregate": aggregate, "assemblies": [BOM.subject]}]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("MIT", {"license": {"id": "MIT"}}),
        ("MIT OR Apache-2.0", {"expression": "MIT OR Apache-2.0"}),
        ("GPL-2.0-only WITH Classpath-exception-2.0",
         {"expression": "GPL-2.0-only WITH Classpath-exception-2.0"}),
        ("LicenseRef-Acme", {"license": {"name": "LicenseRef-Acme"}}),
        ("llama3.1", {"license": {"name": "llama3.1"}}),
        ("llama3.1 AND MIT", {"expression": "LicenseRef-llama3.1 AND MIT"}),
        ("", {"license": {"name": "NOASSERTION"}}),
        ("MIT AND other", {"license": {"name": "NOASSERTION"}}),
        ("all rights reserved, friend", {"license": {"name": "NOASSERTION"}}),
    ],
)  # fmt: skip
def test_licences(expression: str, said: dict[str, Any]) -> None:
    one = Component("pkg:pypi/a@1", "package", "a", "1", expression)
    (found,) = valid(ours.dump(Bom("", "2026-10-01T12:00:00Z", (one,))))["components"]
    (choice,) = found["licenses"]
    declared = choice.get("license", choice).pop("acknowledgement", "")
    assert (choice, declared) == (said, "" if "NOASSERTION" in str(said) else "declared")


def test_our_licence_ids_are_known_to_the_schema() -> None:
    folder = Path(cyclonedx.schema.__file__).parent / "_res"
    known = set(json.loads((folder / "spdx.SNAPSHOT.schema.json").read_text())["enum"])
    assert set(spdx_ids()) <= known


def test_the_same_bill_is_the_same_bytes() -> None:
    first, again = ours.dump(BOM, DESCRIBED), ours.dump(BOM, DESCRIBED)
    assert first == again
    other = ours.dump(replace(BOM, date="2026-10-02T12:00:00Z"), DESCRIBED)
    assert json.loads(first)["serialNumber"] != json.loads(other)["serialNumber"]
    assert json.loads(first)["serialNumber"] != json.loads(ours.dump(BOM))["serialNumber"]
    turned = replace(BOM, components=BOM.components[::-1])
    assert json.loads(ours.dump(turned))["components"] == json.loads(ours.dump(BOM))["components"]


@pytest.mark.parametrize("date", ["", "yesterday", "2026-10-01", "2026-10-01T12:00:00", "9" * 500])
def test_a_date_that_is_none(date: str) -> None:
    with pytest.raises(ReleaseError, match="date of a bill"):
        ours.dump(replace(BOM, date=date))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(boms(), descriptions())
def test_any_bill_is_valid(bom: Bom, described: Described) -> None:
    data = ours.dump(bom, described)
    valid(data)
    assert data.decode().replace("\n", "").isprintable()
    assert b"u:p@" not in data


def test_twenty_thousand_packages() -> None:
    lines = "\n".join(f"package-{n}=={n}.0 --hash=sha256:{n:064x}" for n in range(20_000))
    before = time.process_time()
    bom = build(RELEASE, [("r.txt", "requirements", lines.encode())], lambda *_: "MIT", ABOUT)
    data = ours.dump(bom, NOTHING)
    print(f"20,000 packages: {time.process_time() - before:.2f} s CPU, {len(data):,} bytes")
    found = json.loads(data)
    assert len(found["components"]) > 20_000
    assert all(PackageURL.from_string(c["purl"]) for c in found["components"][:500] if "purl" in c)
