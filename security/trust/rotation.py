"""A new trust file, accepted because the people of the old one and of the new one signed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from security.errors import Refused, Untrusted
from security.identity import Identity, Signer
from security.sign.dsse import Envelope, Signature, pae
from security.trust import deciding, envelopes
from security.trust.loading import load
from security.trust.trustfile import TrustFile

TYPE = "application/vnd.modelwarden.trust+toml"
STEPS_LIMIT = 100


def sign(data: bytes, signers: Sequence[Signer], signatures: bytes | None = None) -> bytes:
    """Return `trust.toml.sig` with the signatures of these added, over exactly these bytes.

    Raises Malformed if `data` is no trust file, Untrusted if `signatures` are of another,
    Refused if a key has signed already.
    """
    load(data, "the trust file")
    found: tuple[Signature, ...] = ()
    if signatures is not None:
        found = _over(data, signatures, "the trust file").signatures
    for signer in signers:
        hint = signer.public.hint
        if any(signature.keyid == hint for signature in found):
            raise Refused(f"the key {hint} has signed this trust file already", "sign with another")
        found += (Signature(signer.sign(pae(TYPE, data)), hint),)
    return envelopes.write(Envelope(TYPE, data, found))


def succeed(old: TrustFile, new_data: bytes, signatures: bytes, now: datetime) -> TrustFile:
    """Return the newer trust file if the `rotate` roles of both files signed it.

    The old one decides by its own keys and may have expired, so that a late renewal still works;
    the new one must be in force. Raises Untrusted, Malformed, TooLarge.
    """
    new = step(old, new_data, signatures, now)
    new.fresh(now)
    return new


def follow(old: TrustFile, steps: Iterable[tuple[bytes, bytes]], now: datetime) -> TrustFile:
    """Go through several (file, signatures), oldest first; only the last must not have expired.

    Raises as `succeed` does, Refused beyond STEPS_LIMIT steps.
    """
    chain = [old]
    for count, (data, signatures) in enumerate(steps):
        if count == STEPS_LIMIT:
            raise Refused(
                f"{old.file}: more than {STEPS_LIMIT} newer trust files",
                "pin the newest one by its digest",
            )
        chain.append(step(chain[-1], data, signatures, now))
    chain[-1].fresh(now)
    return chain[-1]


def step(old: TrustFile, data: bytes, signatures: bytes, now: datetime) -> TrustFile:
    """Return what follows the old trust file, as `succeed` does, though both may have expired."""
    # Nothing is read of what nobody of the old file signed.
    name = f"{old.file} (new)"
    envelope = _over(data, signatures, name)
    proven = _proven(old, envelope)
    deciding.allow(old, "rotate", old.project, proven, now)
    new = load(data, name)
    if new.project != old.project:
        raise Untrusted(
            f"{name}: it is of the project {new.project!r}, not {old.project!r}",
            "give the trust file of the same project",
        )
    if new.version <= old.version:
        raise Untrusted(
            f"{name}: its version {new.version} is not above {old.version}",
            "each change of the trust file raises its version",
        )
    deciding.allow(new, "rotate", new.project, _proven(new, envelope), now)
    return new


def _over(data: bytes, signatures: bytes, name: str) -> Envelope:
    envelope = envelopes.read(signatures, f"{name}.sig")
    if envelope.payload_type != TYPE or envelope.payload != data:
        raise Untrusted(
            f"{name}: its signatures are of other bytes",
            "get the file and its .sig of the same version",
        )
    return envelope


def _proven(trust: TrustFile, envelope: Envelope) -> tuple[Identity, ...]:
    """Return whose signatures hold; one that does not hold is one that is not there."""
    from security.sign.keys import check

    known = {c.public.hint: c for c in trust.credentials if c.public}
    found = []
    for signature in envelope.signatures:
        credential = known.get(signature.keyid)
        key = credential.public if credential else None
        if credential and key and check(key, signature.sig, envelope.signed):
            found.append(Identity(credential.name, "key", key.kind, key.hint))
    return tuple(found)
