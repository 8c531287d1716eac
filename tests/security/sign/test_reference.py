"""Against the reference: its releases' bundles, the specification's vectors, and its command."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from security import errors
from security.hashing import measure
from security.identity import ED25519, MLDSA65, P256, P384, P521
from security.sign import bundle, certificates, keys, signing, statement
from security.trust.single import CertificateTrust, KeyTrust, PersonTrust
from security.verify import read_signed, verify
from tests.security.sign import authority
from tests.security.sign.making import REFERENCE, SHARED, folder, signer
from tests.security.sign.trusts import Everyone

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the signing data is not at hand")
BUNDLES = sorted((REFERENCE / "bundles").glob("*")) if SHARED.exists() else []
OURS = [path for path in BUNDLES if not path.name.endswith("sigstore")]
VECTORS = SHARED / "test-vectors/v1.0"
COMMAND = Path(sys.executable).with_name("model_signing")
command = pytest.mark.skipif(not COMMAND.exists(), reason="model-signing is not installed")


def trust(name: str) -> KeyTrust | CertificateTrust:
    hidden = ("ignore-me",)
    if "key" in name:
        public = keys.read_public((REFERENCE / "keys/signing-key-pub.pem").read_bytes())
        return KeyTrust(public, left_out=hidden)
    return CertificateTrust(((REFERENCE / "keys/ca-cert.pem").read_bytes(),), left_out=hidden)


def model(path: Path) -> Path:
    """Two releases signed one file, not the folder."""
    single = path.name in ("v0.3.1-elliptic-key", "v1.0.0-elliptic-key")
    return path / "signme-1" if single else path


@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name)
def test_a_bundle_of_a_release_is_read(path: Path) -> None:
    if path.name.startswith("v0.2.0"):
        with pytest.raises(errors.Malformed, match=r"Digests/v0\.1 is not read: .* no proper"):
            verify(path, trust=trust(path.name))
        return
    found = verify(model(path), trust=trust(path.name), bundle=path / "model.sig")
    assert found.name in (path.name, "signme-1")
    assert [entry.path for entry in found.manifest.entries] in (["signme-1", "signme-2"], ["."])
    with found.hold(found.manifest.entries[0].path) as held:
        assert Path(held.path).read_bytes() == (path / "signme-1").read_bytes()


@pytest.mark.parametrize("path", OURS[1:], ids=lambda p: p.name)
def test_a_changed_file_of_a_release_is_named(path: Path, tmp_path: Path) -> None:
    shutil.copytree(path, tmp_path / "model")
    one = tmp_path / "model/signme-1"
    one.chmod(0o644)
    one.write_bytes(b"X" + one.read_bytes()[1:])
    at = tmp_path / "model" if model(path) == path else one
    with pytest.raises(errors.Tampered, match=r"signme-1|^\."):
        verify(at, trust=trust(path.name), bundle=tmp_path / "model/model.sig")


@pytest.mark.parametrize("name", ["v1.0.0-elliptic-key", "v1.1.0-elliptic-key"])
def test_no_byte_of_a_release_s_bundle_can_be_changed(name: str) -> None:
    data, known = (REFERENCE / "bundles" / name / "model.sig").read_bytes(), trust(name)
    assert read_signed(data, known)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(errors.SecurityError):
            read_signed(bytes(changed), known)


def test_a_bundle_of_one_folder_does_not_fit_another() -> None:
    one, other = REFERENCE / "bundles/v1.1.0-elliptic-key", REFERENCE / "bundles/v1.1.0-certificate"
    with pytest.raises(errors.Tampered, match="signme-1"):
        verify(other, trust=trust("key"), bundle=one / "model.sig")


def test_what_is_ignored_must_be_allowed() -> None:
    path = REFERENCE / "bundles/v1.1.0-elliptic-key"
    public = keys.read_public((REFERENCE / "keys/signing-key-pub.pem").read_bytes())
    with pytest.raises(errors.Untrusted, match="leaves out ignore-me"):
        verify(path, trust=KeyTrust(public))


@pytest.mark.parametrize("name", ["key", "certificate"])
def test_a_valid_vector_of_the_specification(name: str, tmp_path: Path) -> None:
    data = (VECTORS / f"valid/{name}.bundle.json").read_bytes()
    found = read_signed(data, trust(name))
    assert found.contents.manifest.root.startswith("92745110")
    for part in ("signme-1", "signme-2"):  # both are over the files of this release
        shutil.copy(REFERENCE / "bundles/v1.1.0-elliptic-key" / part, tmp_path)
    (tmp_path / "model.sig").write_bytes(data)
    verified = verify(tmp_path, trust=trust(name))
    assert verified.manifest.root == found.contents.manifest.root


INVALID = {
    "invalid/empty": "not a bundle",
    "invalid/missing-envelope": "no dsseEnvelope",
    "invalid/missing-verification-material": "no verificationMaterial",
    "invalid/missing-tlog-entries": "no tlogEntries",
    "invalid-payload/wrong-predicate": "https://example.com/wrong-predicate/v1.0",
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_vector_of_the_specification(name: str) -> None:
    data = (VECTORS / f"{name}.bundle.json").read_bytes()
    # The last is not truly signed, so that its statement is looked at by itself.
    with pytest.raises(errors.Malformed, match=INVALID[name]):
        statement.read(bundle.read(data).envelope.payload)


def test_no_invalid_vector_was_forgotten() -> None:
    found = [*VECTORS.glob("invalid/*"), *VECTORS.glob("invalid-payload/*")]
    assert len(found) == len(INVALID)


def reread(name: str) -> tuple[Any, statement.Contents]:
    payload = (REFERENCE / f"payloads/{name}").read_bytes()
    return json.loads(payload), statement.read(payload)


PAYLOADS = [path.name for path in sorted((REFERENCE / "payloads").glob("*.json"))]


@pytest.mark.parametrize("name", PAYLOADS)
def test_statements_of_the_reference(name: str) -> None:
    if name.startswith("empty_model_folder") or "empty_file_shard" in name or (
        "shard" in name and "empty" in name
    ):  # fmt: skip
        with pytest.raises(errors.Malformed, match="resources"):
            reread(name)
        return
    raw, found = reread(name)
    assert found.name == raw["subject"][0]["name"]
    assert found.manifest.root == raw["subject"][0]["digest"]["sha256"]
    listed = [(each["name"], each["digest"]) for each in raw["predicate"]["resources"]]
    assert [(each.path, each.digest) for each in found.manifest.entries] == listed
    assert found.serialization.shard == int(raw["predicate"]["serialization"].get("shard_size", 0))


@cache
def schema(name: str) -> Draft202012Validator:
    found = [json.loads(path.read_text()) for path in (SHARED / "schemas/v1.0").iterdir()]
    registry = Registry().with_resources([(f["$id"], Resource.from_contents(f)) for f in found])
    (wanted,) = (f for f in found if f["$id"].endswith(f"{name}/v1.0/schema"))
    return Draft202012Validator(wanted, registry=registry)


def check_schemas(data: bytes) -> None:
    found = json.loads(data)
    schema("bundle").validate(found)
    schema("envelope").validate(found["dsseEnvelope"])
    said = json.loads(base64.b64decode(found["dsseEnvelope"]["payload"]))
    schema("statement").validate(said)
    schema("predicate").validate(said["predicate"])


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def odd_names(root: Path) -> Path:
    """Names on which orders and patterns of implementations differ."""
    header = {"t": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    text = json.dumps(header).encode()
    named = {
        "a-b": b"1", "a/z": b"2", "ü/ж.bin": b"3", "sub/.git/config": b"4", "colon:0:8": b"5",
        "empty": b"", ".github/x": b"unsigned", "line\nbreak": b"6",
        "w.safetensors": len(text).to_bytes(8, "little") + text + b"1234",
    }  # fmt: skip
    return folder(root, **named)


@command
def test_the_reference_reads_what_we_sign(tmp_path: Path) -> None:
    root = odd_names(tmp_path / "model")
    by = [signer(MLDSA65), signer(ED25519), signer(P256)]
    manifest = measure(root)
    data = signing.sign_manifest(manifest, "model", by)
    check_schemas(data)
    assert any(entry.tensors for entry in manifest.entries)
    (root / "model.sig").write_bytes(data)
    line = signing.attest("model", manifest.root, "urn:modelwarden:test:v1", {"a": 1}, by)
    (root / "model.intoto.jsonl").write_bytes(line + b"\n")
    public = tmp_path / "key.pem"
    public.write_text(signer(P256).public.pem)
    sig = root / "model.sig"
    run("verify", "key", root, "--signature", sig, "--public_key", public)
    known = Everyone(tuple((each.public.kind, each.public) for each in by))
    found = verify(root, trust=known)
    assert [each.kind for each in found.signers] == [P256, MLDSA65, ED25519]
    assert found.claims("urn:modelwarden:test:v1")


@command
def test_the_reference_reads_a_certificate(tmp_path: Path) -> None:
    root = folder(tmp_path / "model")
    anchor = authority.root()
    middle = authority.middle(anchor)
    leaf = authority.leaf(middle, curve=None)
    by = certificates.certify(keys.load_signer(leaf.key_pem), leaf.pem + middle.pem)
    data = signing.sign_manifest(measure(root), "model", [signer(ED25519), by])
    check_schemas(data)
    (root / "model.sig").write_bytes(data)
    pem = tmp_path / "root.pem"
    pem.write_bytes(anchor.pem)
    sig = root / "model.sig"
    run("verify", "certificate", root, "--signature", sig, "--certificate_chain", pem)


@command
@pytest.mark.parametrize("kind", [P256, P521])
def test_we_read_what_the_reference_signs(kind: str, tmp_path: Path) -> None:
    root = folder(tmp_path / "model", **{"a-b": b"1", "a/z": b"2", "ü": b"3", "sub/.git/x": b"4"})
    private, sig = tmp_path / "key.pem", root / "model.sig"
    pem = keys.generate(kind)
    private.write_bytes(pem)
    run("sign", "key", root, "--signature", sig, "--private_key", private)
    public = keys.load_signer(pem).public
    found = verify(root, trust=KeyTrust(public))
    assert {entry.path for entry in found.manifest.entries} == {"a-b", "a/z", "ü", "sub/.git/x"}
    (root / "sub/.git/x").write_bytes(b"5")
    with pytest.raises(errors.Tampered, match=r"sub/\.git/x"):
        verify(root, trust=KeyTrust(public))


@pytest.mark.parametrize("kind", [P256, P384, ED25519, MLDSA65])
def test_what_we_sign_fits_the_schemas(kind: str, tmp_path: Path) -> None:
    data = signing.sign_manifest(measure(odd_names(tmp_path / "m")), "m", [signer(kind)])
    check_schemas(data)


@pytest.mark.parametrize(
    "path", [p for p in BUNDLES if p.name.endswith("sigstore")], ids=lambda p: p.name
)
def test_a_keyless_bundle_of_a_release_is_read_offline(path: Path) -> None:
    pytest.importorskip("sigstore")
    issuer = "https://sigstore.verify.ibm.com/oauth2"
    someone = PersonTrust("stefanb@us.ibm.com", issuer, ("ignore-me",))
    (signer_,) = verify(path, trust=someone).signers
    assert (signer_.name, signer_.method, signer_.kind) == (someone.identity, "sigstore", P256)
    others = (
        PersonTrust("somebody@us.ibm.com", issuer, ("ignore-me",)),
        PersonTrust(someone.identity, "https://accounts.example.org", ("ignore-me",)),
        KeyTrust(signer().public),
    )
    for other in others[: 3 if "v1.1.0" in path.name else 1]:
        with pytest.raises(errors.Untrusted):
            verify(path, trust=other)
