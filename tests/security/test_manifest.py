from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.manifest import Entry, Manifest, TensorDigest

OMS = Path(__file__).parents[3] / "shared/data/oms"
PAYLOADS = sorted((OMS / "reference/payloads").glob("*.json"))
DIGESTS = st.lists(st.binary(min_size=32, max_size=32), max_size=5)


def manifest(*digests: str) -> Manifest:
    return Manifest(tuple(Entry(f"f{n}", n, digest) for n, digest in enumerate(digests)))


def test_no_file_has_the_digest_of_nothing() -> None:
    assert manifest().root == hashlib.sha256().hexdigest()
    assert manifest().size == 0


@given(DIGESTS)
def test_the_root_is_the_digest_of_the_raw_digests(digests: list[bytes]) -> None:
    found = manifest(*(digest.hex() for digest in digests))
    assert found.root == hashlib.sha256(b"".join(digests)).hexdigest()
    assert found.size == sum(range(len(digests)))


def test_the_order_of_the_entries_matters_and_their_names_and_tensors_do_not() -> None:
    one, other = "11" * 32, "22" * 32
    assert manifest(one, other).root != manifest(other, one).root
    renamed = Manifest((Entry("x", -1, one), Entry("y", -1, other, "blake3")))
    named = Manifest((Entry("f0", 0, one, tensors=(TensorDigest("t", other),)), renamed.entries[1]))
    assert renamed.root == manifest(one, other).root == named.root


@pytest.mark.skipif(not PAYLOADS, reason="shared/data/oms is not at hand")
def test_roots_are_those_of_the_reference() -> None:
    for payload in PAYLOADS:
        statement = json.loads(payload.read_text())
        digests = [resource["digest"] for resource in statement["predicate"]["resources"]]
        assert manifest(*digests).root == statement["subject"][0]["digest"]["sha256"], payload.name
    assert len(PAYLOADS) == 21
