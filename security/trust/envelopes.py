"""A DSSE envelope as a file of its own (JSON): who signed is named by the hint of the key."""

from __future__ import annotations

import json

from security import strictjson
from security.errors import Malformed
from security.manifest import is_digest
from security.sign.dsse import HINT, Envelope, Signature, decode64, encode64

LIMIT = 2_000_000  # bytes: a trust file of the largest size in base64, and its signatures
MOST_SIGNATURES = 64


def write(envelope: Envelope) -> bytes:
    """Return the envelope as one line of JSON."""
    found = {
        "payload": encode64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"keyid": s.keyid, "sig": encode64(s.sig)} for s in envelope.signatures],
    }
    return json.dumps(found, separators=(",", ":")).encode() + b"\n"


def read(data: bytes, name: str) -> Envelope:
    """Read an envelope; nothing in it is proven by that. Raises Malformed."""
    try:
        found = strictjson.loads(data, limit=LIMIT, depth=4)
    except strictjson.StrictJSONError as error:
        raise Malformed(f"{name}: {error}", HINT) from error
    if not isinstance(found, dict) or set(found) != {"payload", "payloadType", "signatures"}:
        raise Malformed(f"{name}: not payload, payloadType and signatures", HINT)
    kind, signatures = found["payloadType"], found["signatures"]
    if not isinstance(kind, str) or not 1 <= len(kind) <= 200 or not kind.isascii():
        raise Malformed(f"{name}: payloadType is not a media type", HINT)
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise Malformed(f"{name}: not 1 to {MOST_SIGNATURES} signatures", HINT)
    read = tuple(_signature(item, name) for item in signatures)
    if len({signature.keyid for signature in read}) < len(read):
        raise Malformed(f"{name}: one key signed twice", HINT)
    return Envelope(kind, decode64(found["payload"], f"{name}: payload"), read)


def _signature(item: object, name: str) -> Signature:
    if not isinstance(item, dict) or set(item) != {"keyid", "sig"}:
        raise Malformed(f"{name}: a signature is not keyid and sig", HINT)
    keyid = item["keyid"]
    if not is_digest(keyid):
        raise Malformed(f"{name}: a keyid is not the SHA-256 of a public key's text", HINT)
    return Signature(decode64(item["sig"], f"{name}: a signature"), keyid)
