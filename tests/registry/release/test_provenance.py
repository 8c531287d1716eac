"""Provenance: what went into a release, with digests; the same for the same release."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from registry.release.provenance import BUILD, TYPE, predicate
from registry.release.values import Artifact, Pointed
from security.manifest import Entry
from tests.registry.bom.given import COMMIT, RECORD, RELEASE

BUILDER = "urn:modelwarden:builder:tests"


def dependencies(found: dict[str, Any]) -> dict[str, Any]:
    return {d["uri"]: d.get("digest") for d in found["buildDefinition"]["resolvedDependencies"]}


def test_a_release() -> None:
    found = predicate(RELEASE, builder=BUILDER, bases=("acme/base",))
    assert found["buildDefinition"]["buildType"] == BUILD
    assert found["buildDefinition"]["externalParameters"] == {
        "repository": "https://git.example/acme/small",
        "commit": COMMIT,
        "artifact": "acme/small",
        "version": "1.2.0",
    }
    assert dependencies(found) == {
        f"git+https://git.example/acme/small@{COMMIT}": {"gitCommit": COMMIT},
        "urn:modelwarden:weights:model@" + "b" * 32: {"md5": "b" * 32},
        "urn:modelwarden:data:data/train.txt@" + "5" * 32: {"md5": "5" * 32},
        "urn:modelwarden:lock:requirements.txt@" + "6" * 64: {"sha256": "6" * 64},
        "urn:modelwarden:pipeline:dvc.lock@" + "3" * 64: {"sha256": "3" * 64},
        "urn:modelwarden:model:acme/base": None,
    }
    assert found["runDetails"] == {
        "builder": {"id": BUILDER},
        "byproducts": [
            {
                "uri": f"urn:modelwarden:measurement:quiz@{RECORD.digest}",
                "name": "quiz",
                "digest": {"sha256": RECORD.digest},
                "mediaType": "application/json",
            }
        ],
    }


def test_the_run_and_what_it_left() -> None:
    left = (Entry("release/verdict.json", 3, "1" * 64),)
    found = predicate(RELEASE, builder=BUILDER, invocation="urn:run:7", byproducts=left)
    assert found["runDetails"]["metadata"] == {"invocationId": "urn:run:7"}
    assert found["runDetails"]["byproducts"][-1] == {
        "name": "release/verdict.json", "digest": {"sha256": "1" * 64},
    }  # fmt: skip


def test_no_clock_and_no_order_of_its_own() -> None:
    one, again = (json.dumps(predicate(RELEASE, builder=BUILDER)) for _ in range(2))
    assert one == again
    assert not {"startedOn", "finishedOn"} & set(one.split('"'))


@pytest.mark.parametrize(
    ("kind", "digest", "said"),
    [
        ("blob", "4" * 40, {"gitBlob": "4" * 40}),
        ("lfs", "4" * 64, {"sha256": "4" * 64}),
        ("dvc", "4" * 32, {"md5": "4" * 32}),
        ("dvc-folder", "4" * 32, {"md5": "4" * 32}),
        ("dvc", "", None),
        ("other", "4" * 32, None),
    ],
)
def test_pointers(kind: str, digest: str, said: dict[str, str] | None) -> None:
    data = (Artifact("d", "data", (Pointed("d", kind, digest, -1, "d.dvc"),)),)
    found = dependencies(predicate(replace(RELEASE, data=data), builder=BUILDER))
    at = f"@{digest}" if digest else ""
    assert found[f"urn:modelwarden:data:d{at}"] == said


@pytest.mark.parametrize(
    ("repository", "source", "shown"),
    [
        ("https://u:secret@h.example/a?token=secret", "git+https://h.example/a",
         "https://h.example/a"),
        ("git+ssh://git@h.example/a", "git+ssh://h.example/a", "git+ssh://h.example/a"),
        ("acme/small", "urn:modelwarden:repository:acme/small", "acme/small"),
        ("", "urn:modelwarden:repository:", ""),
        ("x\n\x1b[1m", "urn:modelwarden:repository:x%5Cn%5Cx1b%5B1m", "x\\n\\x1b[1m"),
    ],
)  # fmt: skip
def test_where_the_code_is(repository: str, source: str, shown: str) -> None:
    found = predicate(replace(RELEASE, repository=repository), builder=BUILDER)
    assert f"{source}@{COMMIT}" in dependencies(found)
    assert found["buildDefinition"]["externalParameters"]["repository"] == shown
    assert "secret" not in json.dumps(found)


def test_it_is_a_statement_that_others_read() -> None:
    found = predicate(RELEASE, builder=BUILDER, bases=("acme/base",))
    read = json_format.ParseDict(found, Provenance())
    assert json_format.MessageToDict(read) == found
    subject = ResourceDescriptor(name="model", digest={"sha256": "a" * 64})
    Statement([subject.pb], TYPE, found).validate()
