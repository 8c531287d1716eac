from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from security.errors import BadKey, Malformed, Refused
from security.identity import ED25519, MLDSA65, P256, P384, PublicKey
from security.manifest import Entry, Manifest
from security.sign import bundle, certificates, dsse, keys, signing
from security.trust.single import KeyTrust
from security.verify import read_signed
from tests.security.sign import authority
from tests.security.sign.making import dumped, signer, wrapped
from tests.security.sign.trusts import Everyone

MANIFEST = Manifest((Entry("a", 1, "ab" * 32),))
KINDS = (P256, ED25519, MLDSA65)
ALL = Everyone(tuple((kind, signer(kind).public) for kind in (*KINDS, P384)))


def order(data: bytes) -> list[str]:
    return [each.kind for each in read_signed(data, ALL).signers]


@pytest.mark.parametrize("kinds", list(permutations(KINDS)), ids="-".join)
def test_the_curve_stands_first_however_they_are_named(kinds: tuple[str, ...]) -> None:
    data = signing.sign_manifest(MANIFEST, "model", [signer(kind) for kind in kinds])
    found = json.loads(data)
    first, *others = found["dsseEnvelope"]["signatures"]
    assert first["keyid"] == ""  # what the reference writes
    assert found["verificationMaterial"]["publicKey"]["hint"] == signer(P256).public.hint
    rest = [kind for kind in kinds if kind != P256]
    assert [each["keyid"] for each in others] == [signer(kind).public.hint for kind in rest]
    assert order(data) == [P256, *rest]


@pytest.mark.parametrize("kinds", list(permutations(KINDS)), ids="-".join)
def test_a_signature_is_added_to_the_same_bytes(kinds: tuple[str, ...]) -> None:
    data = signing.sign_manifest(MANIFEST, "model", [signer(kinds[0])])
    payload = json.loads(data)["dsseEnvelope"]["payload"]
    for kind in kinds[1:]:
        data = signing.cosign(data, [signer(kind)])
    assert json.loads(data)["dsseEnvelope"]["payload"] == payload
    assert order(data) == [P256, *(kind for kind in kinds if kind != P256)]


def test_payloads_of_others_are_not_written_again() -> None:
    payload = json.dumps(json.loads(base64.b64decode(
        json.loads(signing.sign_manifest(MANIFEST, "m", [signer()]))["dsseEnvelope"]["payload"]
    )), indent=4).encode()  # fmt: skip
    data = signing.cosign(dumped(wrapped(payload)), [signer(MLDSA65)])
    assert bundle.read(data).envelope.payload == payload
    assert order(data) == [P256, MLDSA65]


def test_an_old_bundle_is_given_a_hint() -> None:
    made = json.loads(signing.sign_manifest(MANIFEST, "model", [signer()]))
    raw = dsse.encode64(signer().public.pem.encode())
    made["verificationMaterial"]["publicKey"] = {"rawBytes": raw}
    assert order(signing.cosign(dumped(made), [signer(P384)])) == [P256, P384]


def test_no_key_signs_twice() -> None:
    data = signing.sign_manifest(MANIFEST, "model", [signer(), signer(ED25519)])
    for kind in (P256, ED25519):
        with pytest.raises(Refused, match="twice"):
            signing.cosign(data, [signer(kind)])
    with pytest.raises(Refused, match="twice"):
        signing.sign_manifest(MANIFEST, "model", [signer(), signer()])


def test_a_certificate_stands_first_and_alone() -> None:
    root = authority.root()
    made = [authority.leaf(root, f"signer {n}") for n in range(2)]
    by = [certificates.certify(keys.load_signer(one.key_pem), one.pem) for one in made]
    data = signing.sign_manifest(MANIFEST, "model", [signer(P384), signer(MLDSA65), by[0]])
    found = bundle.read(data)
    assert found.chain == (made[0].der,) and found.hint == ""
    assert order(signing.cosign(data, [signer(ED25519)])) == [P384, MLDSA65, ED25519]
    with pytest.raises(Refused, match="twice"):
        signing.cosign(data, [keys.load_signer(made[0].key_pem)])
    with pytest.raises(Refused, match="one certificate"):
        signing.cosign(data, [by[1]])


def test_somebody_signs_and_not_too_many() -> None:
    with pytest.raises(Refused, match="nobody"):
        signing.sign_manifest(MANIFEST, "model", [])
    many = [keys.load_signer(keys.generate(ED25519)) for _ in range(17)]
    with pytest.raises(Refused, match="more than 16"):
        signing.sign_manifest(MANIFEST, "model", many)
    assert signing.sign_manifest(MANIFEST, "model", many[:16])


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"_type":"https://in-toto.io/Statement/v1"}', b"I owe you 100"]
)
def test_what_is_no_statement_is_not_signed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        signing.cosign(dumped(wrapped(payload)), [signer(ED25519)])


def test_a_keyless_bundle_takes_no_other_signature() -> None:
    made: dict[str, Any] = wrapped(b"{}")
    made["verificationMaterial"] = {"certificate": {"rawBytes": "MAA="}, "tlogEntries": [{}]}
    with pytest.raises(Refused, match="alone"):
        signing.cosign(dumped(made), [signer()])


def test_an_attestation_is_one_line_and_can_be_cosigned() -> None:
    line = signing.attest("model", MANIFEST.root, "urn:x:v1", {"a": "b\nc"}, [signer()])
    assert b"\n" not in line
    claim = signing.read_attestation(signing.cosign(line, [signer(MLDSA65)]))
    assert claim.root == MANIFEST.root and json.loads(claim.predicate) == {"a": "b\nc"}


def test_an_attestation_is_no_release() -> None:
    line = signing.attest("model", MANIFEST.root, "urn:x:v1", {}, [signer()])
    with pytest.raises(Malformed, match="predicateType"):
        read_signed(line, KeyTrust(signer().public))


@dataclass
class Liar:
    """A token that signs something else, or with another key than it says."""

    public: PublicKey
    answer: bytes

    def sign(self, data: bytes) -> bytes:
        return self.answer or signer(ED25519).sign(data)


@pytest.mark.parametrize(
    "answer", [b"", b"0" * 71, signer().sign(b"other")], ids=["none", "zeros", "other"]
)
def test_a_signature_that_does_not_hold_is_not_published(answer: bytes) -> None:
    with pytest.raises(BadKey, match="does not hold"):
        signing.sign_manifest(MANIFEST, "model", [Liar(signer().public, answer)])
