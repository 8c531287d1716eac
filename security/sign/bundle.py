"""Sigstore bundles v0.3 as OMS uses them: an envelope, and what names its first signer's key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from security import strictjson
from security.errors import BadKey, Malformed, TooLarge
from security.identity import P256, P384, P521, Method
from security.manifest import is_digest
from security.sign import keys
from security.sign.dsse import HINT, IN_TOTO, Envelope, Signature, decode64, encode64

MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
LIMIT = 200_000_000  # bytes; a million files with tensors take less
MAX_SIGNATURES = 16
MAX_CERTIFICATES = 10
MAX_CERTIFICATE = 65_536  # bytes of one certificate
# Around the payload there is little: what needs more than this is made to be expensive to read.
MAX_PARTS = 20_000
_DETAILS = {
    P256: "PKIX_ECDSA_P256_SHA_256",
    P384: "PKIX_ECDSA_P384_SHA_384",
    P521: "PKIX_ECDSA_P521_SHA_512",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """An envelope whose first signature is by the key of `hint` or of the first certificate.

    `chain` holds certificates (DER), the signer's first; only one of the two is there.
    """

    envelope: Envelope
    method: Method
    hint: str = ""
    chain: tuple[bytes, ...] = ()


def read(data: bytes) -> Bundle:
    """Read a bundle; nothing in it is proven by that. Raises Malformed, TooLarge."""
    if len(data) > LIMIT:
        raise TooLarge(f"a bundle of more than {LIMIT:,} bytes", HINT)
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise TooLarge(f"a bundle of more than {MAX_PARTS:,} parts", HINT)
    try:
        found = strictjson.loads(data, limit=LIMIT, depth=16)
    except strictjson.StrictJSONError as error:
        raise Malformed(f"not a bundle: {error}", HINT) from error
    whole = fields(found, "the bundle", ("mediaType", "verificationMaterial", "dsseEnvelope"))
    if whole["mediaType"] != MEDIA:
        raise Malformed(f"mediaType {whole['mediaType']!r:.80} is not {MEDIA}", HINT)
    method, hint, chain = _material(whole["verificationMaterial"])
    envelope = _envelope(whole["dsseEnvelope"])
    first = envelope.signatures[0].keyid
    if first and first != hint:
        raise Malformed("keyid of the first signature is not the hint of its key", HINT)
    return Bundle(envelope, method, hint, chain)


def write(bundle: Bundle) -> bytes:
    """Return the bundle on one line; `model_signing` 1.1.1 reads it (key, certificate)."""
    material: dict[str, Any] = {"publicKey": {"hint": bundle.hint}}
    if bundle.chain:
        listed = [{"rawBytes": encode64(der)} for der in bundle.chain]
        material = {"x509CertificateChain": {"certificates": listed}}
    envelope = bundle.envelope
    signatures = [{"sig": encode64(s.sig), "keyid": s.keyid} for s in envelope.signatures]
    whole = {
        "mediaType": MEDIA,
        "verificationMaterial": {**material, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": encode64(envelope.payload),
            "payloadType": envelope.payload_type,
            "signatures": signatures,
        },
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def fields(
    found: Any, what: str, wanted: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a JSON object that has exactly these keys. Raises Malformed."""
    if not isinstance(found, dict):
        raise Malformed(f"{what} is not a JSON object", HINT)
    for key in wanted:
        if key not in found:
            raise Malformed(f"{what} has no {key}", HINT)
    for key in found:
        if key not in wanted and key not in optional:
            raise Malformed(f"{what} has the unknown key {key!r:.80}", HINT)
    return found


def _material(found: Any) -> tuple[Method, str, tuple[bytes, ...]]:
    kinds = ("publicKey", "x509CertificateChain", "certificate")
    beside = ("tlogEntries", "timestampVerificationData")
    what = "verificationMaterial"
    material = fields(found, what, (), (*kinds, *beside))
    named = [kind for kind in kinds if kind in material]
    if len(named) != 1:
        raise Malformed(f"{what} must have one of {', '.join(kinds)}", HINT)
    logged = material.get("tlogEntries", [])
    stamps = material.get("timestampVerificationData", {})
    if not isinstance(logged, list) or not isinstance(stamps, dict):
        raise Malformed(f"tlogEntries or timestampVerificationData of {what} is malformed", HINT)
    if named == ["certificate"]:
        if not logged:
            raise Malformed(f"{what} has no tlogEntries, which a keyless signature needs", HINT)
        return "sigstore", "", (_certificate(material["certificate"]),)
    if logged or stamps:
        raise Malformed(f"{what} has log entries or times, which nothing here proves", HINT)
    if named == ["publicKey"]:
        return "key", _public_key(material["publicKey"]), ()
    listed = fields(material["x509CertificateChain"], "x509CertificateChain", ("certificates",))
    chain = listed["certificates"]
    if not isinstance(chain, list) or not 0 < len(chain) <= MAX_CERTIFICATES:
        raise Malformed(f"certificates must be a list of 1 to {MAX_CERTIFICATES}", HINT)
    return "certificate", "", tuple(map(_certificate, chain))


def _public_key(found: Any) -> str:
    what = "publicKey"
    key = fields(found, what, (), ("hint", "rawBytes", "keyDetails"))
    if "rawBytes" not in key:  # since 1.1.0 of the reference
        hint = fields(key, what, ("hint",))["hint"]
        if not is_digest(hint):
            raise Malformed("hint of publicKey is not a SHA-256 in lower-case hex", HINT)
        return hint
    old = fields(key, what, ("rawBytes",), ("keyDetails",))
    try:
        text = decode64(old["rawBytes"], "rawBytes of publicKey")
        public = keys.read_public(text)
    except BadKey as error:
        raise Malformed(f"rawBytes of publicKey: {error.message}", HINT) from error
    if text != public.pem.encode():
        raise Malformed("rawBytes of publicKey are a key in an odd spelling", HINT)
    if "keyDetails" in old and old["keyDetails"] != _DETAILS.get(public.kind):
        raise Malformed("keyDetails of publicKey are not those of its key", HINT)
    return public.hint


def _certificate(found: Any) -> bytes:
    raw = fields(found, "a certificate", ("rawBytes",))["rawBytes"]
    if isinstance(raw, str) and len(raw) > MAX_CERTIFICATE:
        raise TooLarge(f"a certificate of more than {MAX_CERTIFICATE:,} bytes", HINT)
    return decode64(raw, "rawBytes of a certificate")


def _envelope(found: Any) -> Envelope:
    what = "dsseEnvelope"
    envelope = fields(found, what, ("payload", "payloadType", "signatures"))
    if envelope["payloadType"] != IN_TOTO:
        raise Malformed(f"payloadType {envelope['payloadType']!r:.80} is not {IN_TOTO}", HINT)
    listed = envelope["signatures"]
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SIGNATURES:
        raise Malformed(f"signatures must be a list of 1 to {MAX_SIGNATURES}", HINT)
    signatures = tuple(map(_signature, listed))
    later = [s.keyid for s in signatures[1:]]
    if not all(later):
        raise Malformed("a signature after the first has no keyid", HINT)
    if len(set(later)) < len(later):
        raise Malformed("a signature is there twice", HINT)
    return Envelope(IN_TOTO, decode64(envelope["payload"], "payload"), signatures)


def _signature(found: Any) -> Signature:
    each = fields(found, "a signature", ("sig",), ("keyid",))
    keyid = each.get("keyid") or ""  # absent, null and "" are one (OMS 4.1)
    if keyid and not is_digest(keyid):
        raise Malformed("keyid of a signature is not the hint of a key", HINT)
    sig = decode64(each["sig"], "sig")
    if not 0 < len(sig) <= max(keys.SIZES.values()):
        raise Malformed("a signature of no kind of key", HINT)
    return Signature(sig, keyid)
