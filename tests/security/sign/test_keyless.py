"""What can be seen of keyless signatures without their services; test_reference has real ones."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from security.errors import Malformed, Unavailable, Untrusted
from security.manifest import Entry, Manifest
from security.sign import bundle, keyless
from security.trust.single import PersonTrust
from security.verify import read_signed
from tests.security.sign.making import REFERENCE, SHARED, b64, dumped

MANIFEST = Manifest((Entry("a", 1, "ab" * 32),))
SOMEONE = PersonTrust("stefanb@us.ibm.com", "https://sigstore.verify.ibm.com/oauth2")


def test_without_the_package_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore", None)
    with pytest.raises(Unavailable, match="sigstore") as caught:
        keyless.sign(MANIFEST, "model")
    assert "pip install" in caught.value.hint


@pytest.fixture
def real() -> dict[str, Any]:
    pytest.importorskip("sigstore")
    if not SHARED.exists():
        pytest.skip("the signing data is not at hand")
    found: dict[str, Any] = json.loads(
        (REFERENCE / "bundles/v1.1.0-sigstore/model.sig").read_bytes()
    )
    return found


def test_another_payload_is_refused(real: dict[str, Any]) -> None:
    real["dsseEnvelope"]["payload"] = b64(b"{}")
    with pytest.raises(Untrusted, match="does not hold"):
        read_signed(dumped(real), SOMEONE)


def test_another_signature_is_refused(real: dict[str, Any]) -> None:
    real["dsseEnvelope"]["signatures"][0]["sig"] = b64(b"0" * 70)
    with pytest.raises(Untrusted, match="does not hold"):
        read_signed(dumped(real), SOMEONE)


def test_another_certificate_is_refused(real: dict[str, Any]) -> None:
    other = json.loads((REFERENCE / "bundles/v1.0.0-sigstore/model.sig").read_bytes())
    real["verificationMaterial"]["certificate"] = other["verificationMaterial"]["certificate"]
    with pytest.raises(Untrusted, match="does not hold"):
        read_signed(dumped(real), SOMEONE)


@pytest.mark.parametrize("name", ["inclusionProof", "canonicalizedBody", "logId"])
def test_a_log_entry_without_its_proof_is_refused(real: dict[str, Any], name: str) -> None:
    del real["verificationMaterial"]["tlogEntries"][0][name]
    with pytest.raises((Malformed, Untrusted)):
        read_signed(dumped(real), SOMEONE)


def test_entries_of_another_log_time_are_refused(real: dict[str, Any]) -> None:
    other = json.loads((REFERENCE / "bundles/v1.0.0-sigstore/model.sig").read_bytes())
    real["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    with pytest.raises((Malformed, Untrusted)):
        read_signed(dumped(real), SOMEONE)


def test_a_second_signature_is_refused(real: dict[str, Any]) -> None:
    more = {"sig": b64(b"1" * 64), "keyid": "ab" * 32}
    real["dsseEnvelope"]["signatures"].append(more)
    with pytest.raises(Malformed, match="alone"):
        read_signed(dumped(real), SOMEONE)


@pytest.mark.parametrize("person", [("", "x"), ("x", "")])
def test_identity_and_issuer_are_both_demanded(
    real: dict[str, Any], person: tuple[str, str]
) -> None:
    with pytest.raises(Untrusted, match="without identity"):
        read_signed(dumped(real), PersonTrust(*person))


def test_what_is_no_certificate_is_malformed(real: dict[str, Any]) -> None:
    real["verificationMaterial"]["certificate"] = {"rawBytes": "MAA="}
    data = dumped(real)
    assert bundle.read(data).method == "sigstore"
    with pytest.raises(Malformed):
        read_signed(data, SOMEONE)
