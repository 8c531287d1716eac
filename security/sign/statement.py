"""in-toto statements v1 about one folder: what it holds (OMS), or something said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from security import strictjson
from security.errors import Malformed, Refused
from security.manifest import Manifest, is_digest
from security.sign import resources
from security.sign.bundle import LIMIT, fields
from security.sign.dsse import HINT
from security.sign.resources import Serialization

STATEMENT = "https://in-toto.io/Statement/v1"
RELEASE = "https://model_signing/signature/v1.0"
OLD = "https://model_signing/Digests/v0.1"
CLAIM_LIMIT = 16_000_000  # bytes of an attestation's statement
MAX_NAME = 1_024  # characters of a subject's name, and of a predicate's type


@dataclass(frozen=True, slots=True)
class Contents:
    """What somebody signed that a folder holds. Sizes are not signed, hence -1."""

    name: str
    manifest: Manifest
    serialization: Serialization


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody signed about the folder of this root digest; `predicate` is JSON text."""

    name: str
    root: str
    predicate_type: str
    predicate: str


def write(manifest: Manifest, name: str) -> bytes:
    """Return the statement of a folder's content. Raises Refused if it cannot be signed so."""
    predicate = resources.write(manifest)
    return _dump(_statement(name, manifest.root, RELEASE, predicate))


def read(payload: bytes) -> Contents:
    """Read what `write`, or another OMS implementation, wrote. Raises Malformed."""
    name, root, kind, predicate = _parse(payload, LIMIT)
    if kind == OLD:
        raise too_old()
    if kind != RELEASE:
        raise Malformed(f"predicateType {kind!r:.200} is not {RELEASE}", HINT)
    manifest, serialization = resources.read(predicate)
    if manifest.root != root:
        raise Malformed("the root digest is not that of the listed files", HINT)
    return Contents(name, manifest, serialization)


def too_old() -> Malformed:
    """Return the error for bundles of the reference's release 0.2.0."""
    why = "what its signature covers is no proper encoding, and files may be missing from it"
    return Malformed(f"{OLD} is not read: {why}", "ask for the model to be signed again")


def write_claim(name: str, root: str, kind: str, predicate: Mapping[str, Any]) -> bytes:
    """Return a statement about the folder of a root digest. Raises Refused."""
    if kind in (RELEASE, OLD):
        raise Refused(f"{kind} is no attestation", "sign the folder itself")
    if not is_digest(root):
        raise Refused("a root digest is a SHA-256 in lower-case hex", "take it from a manifest")
    payload = _dump(_statement(name, root, kind, dict(predicate)))
    if len(payload) > CLAIM_LIMIT:
        raise Refused(f"an attestation of more than {CLAIM_LIMIT:,} bytes", "say less in it")
    return payload


def read_claim(payload: bytes) -> Claim:
    """Read an attestation's statement. Raises Malformed."""
    name, root, kind, predicate = _parse(payload, CLAIM_LIMIT)
    if kind in (RELEASE, OLD):
        raise Malformed("a release among the attestations", HINT)
    if not isinstance(predicate, dict):
        raise Malformed("the predicate is not a JSON object", HINT)
    try:
        text = json.dumps(predicate, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except ValueError as error:  # a number beyond all bounds, half a surrogate pair
        raise Malformed("the predicate has what JSON cannot say", HINT) from error
    return Claim(name, root, kind, text)


def _statement(name: str, root: str, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    for text in (name, kind):
        if not _is_text(text):
            raise Refused(f"{text!r:.80} names nothing", "give a short name in UTF-8")
    subject = [{"name": name, "digest": {"sha256": root}}]
    return {
        "_type": STATEMENT,
        "subject": subject,
        "predicateType": kind,
        "predicate": predicate,
    }


def _dump(statement: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(statement, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        payload = text.encode()
        strictjson.loads(payload, limit=LIMIT)  # what we would not read, we do not sign
    except (ValueError, TypeError) as error:
        raise Refused(f"cannot be signed: {error}", "use plain, finite JSON values") from error
    return payload


def _parse(payload: bytes, limit: int) -> tuple[str, str, str, Any]:
    """Return name and root digest of the one subject, type and predicate."""
    try:
        found = strictjson.loads(payload, limit=limit)
    except strictjson.StrictJSONError as error:
        raise Malformed(f"the statement is not strict JSON: {error}", HINT) from error
    wanted = ("_type", "subject", "predicateType", "predicate")
    statement = fields(found, "the statement", wanted)
    if statement["_type"] != STATEMENT:
        raise Malformed(f"_type {statement['_type']!r:.200} is not {STATEMENT}", HINT)
    kind = statement["predicateType"]
    if not _is_text(kind):
        raise Malformed("predicateType is not a name", HINT)
    if kind == OLD:  # its subjects are the files
        return "", "", kind, None
    subjects = statement["subject"]
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise Malformed("the statement must have one subject", HINT)
    allowed = ("uri", "content", "downloadLocation", "mediaType", "annotations")
    subject = fields(subjects[0], "the subject", ("name", "digest"), allowed)
    name, digest = subject["name"], subject["digest"]
    if not _is_text(name):
        raise Malformed("the subject has no name", HINT)
    root = digest.get("sha256") if isinstance(digest, dict) else None
    if not is_digest(root):
        raise Malformed("the subject has no SHA-256 in lower-case hex", HINT)
    return name, root, kind, statement["predicate"]


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
