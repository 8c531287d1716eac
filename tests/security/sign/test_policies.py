"""Verification with a whole trust file: people are counted, not keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from security.errors import Untrusted
from security.hashing import measure
from security.sign import certificates, keys, signing
from security.verify import verify
from tests.security.sign import authority
from tests.security.sign.making import REFERENCE, SHARED, folder
from tests.security.trust.people import NOW, read, role, signer, text

TWO = text(role(threshold=2, more='also = ["ml-dsa-65"]'), role("tell", '"attest"', '"carol"'))
ARTIFACT = "acme/small"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return folder(tmp_path / "small")


def sign(root: Path, *names: str) -> Path:
    by = [signer(name) for name in names]
    (root / "model.sig").write_bytes(signing.sign_manifest(measure(root), "small", by))
    return root


@pytest.mark.parametrize("names", [("alice-1", "bob-pq"), ("alice-1", "bob-1", "alice-pq")])
def test_two_people_and_a_key_for_later_release(names: tuple[str, ...], model: Path) -> None:
    found = verify(sign(model, *names), trust=read(TWO), artifact=ARTIFACT, now=NOW)
    assert {each.name for each in found.signers} == set(names)


@pytest.mark.parametrize(
    ("names", "artifact", "days"),
    [
        (("alice-1", "alice-pq"), ARTIFACT, 0),  # one person with two keys
        (("alice-1", "bob-1"), ARTIFACT, 0),  # none that lasts
        (("alice-1",), ARTIFACT, 0),
        (("carol-1", "alice-pq"), ARTIFACT, 0),  # no member
        (("alice-1", "bob-pq"), "acme/other", 0),
        (("alice-1", "bob-pq"), ARTIFACT, 365),  # expired
    ],
)
def test_others_do_not(names: tuple[str, ...], artifact: str, days: int, model: Path) -> None:
    now = NOW + timedelta(days=days)
    with pytest.raises(Untrusted):
        verify(sign(model, *names), trust=read(TWO), artifact=artifact, now=now)


def test_a_signature_taken_away_is_missed(model: Path) -> None:
    sign(model, "alice-1", "bob-pq")
    alone = signing.sign_manifest(measure(model), "small", [signer("alice-1")])
    (model / "model.sig").write_bytes(alone)
    with pytest.raises(Untrusted, match="bob"):
        verify(model, trust=read(TWO), artifact=ARTIFACT, now=NOW)
    added = signing.cosign(alone, [signer("bob-pq")])
    (model / "model.sig").write_bytes(added)
    assert verify(model, trust=read(TWO), artifact=ARTIFACT, now=NOW)


def test_who_may_attest_is_another_question(model: Path) -> None:
    sign(model, "alice-1", "bob-pq")
    root = measure(model).root
    lines = [
        signing.attest("small", root, "urn:x:v1", {"by": name}, [signer(name)])
        for name in ("carol-1", "alice-1")
    ]
    (model / "model.intoto.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    found = verify(model, trust=read(TWO), artifact=ARTIFACT, now=NOW)
    assert [bool(each.doubt) for each in found.attestations] == [False, True]
    assert len(found.claims("urn:x:v1")) == 1


def test_a_certificate_counts_as_its_owner(model: Path) -> None:
    root = authority.root(start=NOW - authority.DAY, end=NOW + authority.DAY)
    one = authority.leaf(root, "bob", start=NOW - authority.DAY, end=NOW + authority.DAY)
    by = certificates.certify(keys.load_signer(one.key_pem), one.pem)
    data = signing.sign_manifest(measure(model), "small", [by, signer("alice-pq")])
    (model / "model.sig").write_bytes(data)
    pem = root.pem.decode()
    tables = f'[certificates.acme]\npublic = """\n{pem}"""\n'
    tables += '[subjects.bob-ca]\nowner = "bob"\nsubject = "CN=bob"\n'
    trust = read(TWO + tables)
    found = verify(model, trust=trust, artifact=ARTIFACT, now=NOW)
    assert [each.method for each in found.signers] == ["certificate", "key"]
    with pytest.raises(Untrusted):
        verify(
            model, trust=read(TWO + tables.replace("CN=bob", "CN=rob")), artifact=ARTIFACT, now=NOW
        )


def test_a_keyless_signer_counts_as_their_owner() -> None:
    pytest.importorskip("sigstore")
    if not SHARED.exists():
        pytest.skip("the signing data is not at hand")
    path = REFERENCE / "bundles/v1.0.0-sigstore"
    issuer = "https://sigstore.verify.ibm.com/oauth2"
    table = (
        '[subjects.alice-web]\nowner = "alice"\nmethod = "sigstore"\n'
        f'subject = "stefanb@us.ibm.com"\nissuer = "{issuer}"\n'
    )
    anything, name = text(role(artifacts='"acme"')), f"acme/{path.name}"
    trust = read(anything + table)
    (found,) = verify(path, trust=trust, artifact=name, now=NOW).signers
    assert found.method == "sigstore"
    other = read(anything + table.replace("verify.ibm", "verify.example"))
    with pytest.raises(Untrusted, match="keyless"):
        verify(path, trust=other, artifact=name, now=NOW)
