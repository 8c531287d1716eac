"""Good statements in spoiled bundles: vectors of tests/vectors/oms."""

from __future__ import annotations

import copy
import json
from typing import Any

from security.sign import dsse
from security.sign.keys import KeySigner
from tests.security.sign.making import b64, dumped, wrapped
from tests.security.sign.spoiling import (
    Spoil,
    Vector,
    World,
    drop,
    envelope,
    first,
    material,
    put,
    whole,
)


def envelopes(world: World) -> list[Vector]:
    """Good statements in spoiled bundles."""
    payload, key = dumped(world.statement), world.key
    good = wrapped(payload, key)
    found: list[Vector] = []

    def bad(name: str, error: str, reason: str, spoil: Spoil) -> None:
        spoiled = copy.deepcopy(good)
        spoil(spoiled)
        found.append(Vector(name, error, reason, dumped(spoiled)))

    def raw(name: str, error: str, reason: str, data: bytes) -> None:
        found.append(Vector(name, error, reason, data))

    def signed(data: bytes, by: KeySigner = key) -> str:
        return b64(by.sign(data))

    unfit = ("Tampered", "does not fit")
    text = dsse.IN_TOTO.encode()
    for name, bare in {
        "none": payload,
        "base64": b64(payload).encode(),
        "v0.2.0": f"DSSEV1 {len(text)} {dsse.IN_TOTO} {len(payload)} {payload!r}".encode(),
        "other-type": dsse.pae("application/json", payload),
        "no-type": b"DSSEv1 0  %d %b" % (len(payload), payload),
        "longer": b"DSSEv1 %d %b %d %b" % (len(text), text, len(payload) + 1, payload),
        "space-in-it": dsse.pae(dsse.IN_TOTO, payload + b" "),
    }.items():
        bad(f"encoding-{name}", *unfit, put(first, sig=signed(bare)))
    bad("payload-respelled", *unfit, lambda b: envelope(b).update(payload=b64(payload + b"\n")))
    bad("payload-indented", *unfit, lambda b: envelope(b).update(payload=b64(
        json.dumps(world.statement, indent=1).encode())))  # fmt: skip
    for name, spelled in {
        "urlsafe": b64(payload + b"\xff\xfe\xff" * 3).replace("/", "_").replace("+", "-"),
        "unpadded": b64(payload + b" " * (4 - len(payload) % 3)).rstrip("="),
        "lines": b64(payload)[:64] + "\n" + b64(payload)[64:],
        "space": " " + b64(payload),
        "spare-bits": "QR==",
        "unicode": "\uff21" * 4,
        "number": 5,
        "null": None,
    }.items():
        bad(
            f"base64-{name}",
            "Malformed",
            "payload is",
            put(envelope, payload=spelled),
        )
    wrong = wrapped(payload, key, kind="application/json")
    raw("payload-type", "Malformed", "payloadType", dumped(wrong))
    bad("payload-type-respelled", "Malformed", "payloadType", lambda b: envelope(b).update(
        payloadType="application/vnd.in-toto+JSON"))  # fmt: skip
    bad("signatures-none", "Malformed", "1 to 16", lambda b: envelope(b).update(signatures=[]))
    many = [{"sig": b64(bytes([n] * 64)), "keyid": f"{n:064x}"} for n in range(17)]
    bad("signatures-many", "Malformed", "1 to 16", lambda b: envelope(b).update(signatures=many))
    bad("signature-empty", "Malformed", "no kind", lambda b: first(b).update(sig=""))
    bad("signature-long", "Malformed", "no kind", lambda b: first(b).update(sig=b64(b"0" * 4000)))
    bad("signature-zero", *unfit, lambda b: first(b).update(sig="MAYCAQACAQA="))
    bad("signature-null", "Malformed", "base64", lambda b: first(b).update(sig=None))
    bad("signature-extra", "Malformed", "unknown key", lambda b: first(b).update(cert="x"))
    over = dsse.pae(dsse.IN_TOTO, payload)
    bad(
        "signature-of-another-key", *unfit, lambda b: first(b).update(sig=signed(over, world.other))
    )
    bad("signature-of-another-kind", *unfit, lambda b: first(b).update(
        sig=signed(over, world.edwards)))  # fmt: skip
    bad("keyid-other", "Malformed", "not the hint", lambda b: first(b).update(keyid="ab" * 32))
    bad("keyid-text", "Malformed", "keyid", lambda b: first(b).update(keyid="release key"))
    bad("keyid-number", "Malformed", "keyid", lambda b: first(b).update(keyid=5))
    hint = key.public.hint
    for name, value in {
        "upper": hint.upper(), "short": hint[:-1], "empty": "", "null": None, "list": [hint],
        "newline": f"{hint}\n",
    }.items():  # fmt: skip
        bad(f"hint-{name}", "Malformed", "hint", put(material, publicKey={"hint": value}))
    bad("hint-of-a-stranger", "Untrusted", "no trusted key", lambda b: material(b).update(
        publicKey={"hint": "ab" * 32}))  # fmt: skip
    bad("hint-of-another-key", *unfit, lambda b: material(b).update(
        publicKey={"hint": world.edwards.public.hint}))  # fmt: skip
    raw(
        "signed-by-a-stranger", "Untrusted", "no trusted key", dumped(wrapped(payload, world.other))
    )
    old = {"rawBytes": b64(world.other.public.pem.encode())}
    bad(
        "raw-key-of-a-stranger",
        "Untrusted",
        "no trusted",
        lambda b: material(b).update(publicKey=old),
    )
    same = {"rawBytes": b64(key.public.pem.encode())}
    loose = {"rawBytes": b64(key.public.pem.encode() + b"\n")}
    bad("raw-key-spelled-oddly", "Malformed", "odd spelling", put(material, publicKey=loose))
    details = {**same, "keyDetails": "PKIX_ECDSA_P384_SHA_384"}
    bad(
        "raw-key-details",
        "Malformed",
        "keyDetails",
        lambda b: material(b).update(publicKey=details),
    )
    both = {**same, "hint": hint}
    bad(
        "raw-key-and-hint", "Malformed", "unknown key", lambda b: material(b).update(publicKey=both)
    )
    bad("raw-key-garbage", "Malformed", "rawBytes", lambda b: material(b).update(
        publicKey={"rawBytes": "AAAA"}))  # fmt: skip
    bad("no-key", "Malformed", "one of", lambda b: material(b).pop("publicKey"))
    chain = {"certificates": [{"rawBytes": "MAA="}]}
    bad(
        "key-and-chain",
        "Malformed",
        "one of",
        lambda b: material(b).update(x509CertificateChain=chain),
    )
    bad("material-extra", "Malformed", "unknown key", lambda b: material(b).update(key="x"))
    bad("log-entries", "Malformed", "log entries", lambda b: material(b).update(tlogEntries=[{}]))
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]}
    bad(
        "times",
        "Malformed",
        "times",
        lambda b: material(b).update(timestampVerificationData=stamps),
    )
    alone: dict[str, Any] = {"certificate": {"rawBytes": "MAA="}}
    bad("keyless-without-log", "Malformed", "tlogEntries", lambda b: b.update(
        verificationMaterial=alone))  # fmt: skip
    logged = {**alone, "tlogEntries": [{}]}
    bad("keyless-nobody", "Untrusted", "nobody is trusted", lambda b: b.update(
        verificationMaterial=logged))  # fmt: skip
    bad("media-type-v0.2", "Malformed", "mediaType", lambda b: b.update(
        mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"))  # fmt: skip
    bad("bundle-extra", "Malformed", "unknown key", lambda b: b.update(messageSignature={}))
    for gone in ("mediaType", "verificationMaterial", "dsseEnvelope"):
        bad(f"no-{gone}", "Malformed", f"no {gone}", drop(whole, gone))
    for gone in ("payload", "payloadType", "signatures"):
        bad(f"no-{gone}", "Malformed", f"no {gone}", drop(envelope, gone))
    raw("bundle-duplicate-key", "Malformed", "duplicate", b'{"mediaType":"x",' + dumped(good)[1:])
    raw("bundle-trailing", "Malformed", "not a bundle", dumped(good) + b"{}")
    raw("bundle-truncated", "Malformed", "not a bundle", dumped(good)[:-1])
    raw("bundle-empty", "Malformed", "not a bundle", b"")
    raw("bundle-list", "Malformed", "not a JSON object", b"[" + dumped(good) + b"]")
    raw("bundle-deep", "Malformed", "deeper", b'{"mediaType":' * 30 + b"0" + b"}" * 30)
    raw("bundle-parts", "TooLarge", "parts", b"[" + b"0," * 30_000 + b"0]")
    return found
