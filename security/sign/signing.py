"""Signing: a folder's manifest, what is said of it, and another signature on what is signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from security.errors import BadKey, Malformed, Refused
from security.identity import ED25519, MLDSA65, P256, P384, P521, Method, Signer
from security.manifest import Manifest
from security.sign import bundle, certificates, keys, statement
from security.sign.bundle import MAX_SIGNATURES, Bundle
from security.sign.certificates import Certified
from security.sign.dsse import IN_TOTO, Envelope, Signature
from security.sign.keys import SIZES
from security.sign.statement import Claim

CURVES = (P256, P384, P521)


@dataclass(frozen=True, slots=True)
class _Signed:
    signature: Signature  # keyid always named
    old: bool  # can be checked by verifiers that know elliptic curves only
    chain: tuple[bytes, ...] = ()


def sign_manifest(manifest: Manifest, name: str, signers: Sequence[Signer]) -> bytes:
    """Return the bundle (one line of JSON) of a folder called `name`. Raises Refused, BadKey.

    The elliptic-curve signature stands first, for verifiers that look at no other.
    """
    return _sign(statement.write(manifest, name), signers)


def attest(
    name: str,
    root: str,
    predicate_type: str,
    predicate: Mapping[str, Any],
    signers: Sequence[Signer],
) -> bytes:
    """Return one line: a bundle that says `predicate` of the folder with this root digest."""
    return _sign(statement.write_claim(name, root, predicate_type, predicate), signers)


def read_attestation(line: bytes) -> Claim:
    """Read what an attestation says. Nothing in it is proven by that. Raises Malformed."""
    return statement.read_claim(bundle.read(line).envelope.payload)


def cosign(data: bytes, signers: Sequence[Signer]) -> bytes:
    """Add signatures on exactly the same payload to a bundle, which the caller has verified.

    Raises Refused if one of the keys has signed already, Malformed.
    """
    found = bundle.read(data)
    if found.method == "sigstore":
        raise Refused("a keyless signature stands alone", "sign with keys beside it")
    payload = found.envelope.payload
    try:
        statement.read(payload)
    except Malformed:
        statement.read_claim(payload)  # what is neither is not signed
    first, *others = found.envelope.signatures
    hint = certificates.key_of(found.chain).hint if found.chain else found.hint
    done = [_Signed(replace(first, keyid=hint), _is_old(first), found.chain)]
    done += [_Signed(each, _is_old(each)) for each in others]
    return _write(payload, done + _signatures(found.envelope, signers))


def _sign(payload: bytes, signers: Sequence[Signer]) -> bytes:
    if not signers:
        raise Refused("nobody signs", "name a key")
    return _write(payload, _signatures(Envelope(IN_TOTO, payload, ()), signers))


def _signatures(envelope: Envelope, signers: Sequence[Signer]) -> list[_Signed]:
    signed, made = envelope.signed, []
    for signer in signers:
        public = signer.public
        chain = signer.chain if isinstance(signer, Certified) else ()
        signature = Signature(signer.sign(signed), public.hint)
        # A token, a service or a fault may give anything; what does not hold is not published.
        if not keys.check(public, signature.sig, signed):
            why = f"key {public.hint[:16]} made a signature that does not hold"
            raise BadKey(why, "check the token or the key service, and sign again")
        made.append(_Signed(signature, public.kind in CURVES, chain))
    return made


def _is_old(signature: Signature) -> bool:
    # Keys are not in the bundle; DER of two numbers does not have these lengths.
    return len(signature.sig) not in (SIZES[ED25519], SIZES[MLDSA65])


def _write(payload: bytes, made: Sequence[_Signed]) -> bytes:
    # Stable: certificates first (a bundle names one way to its first key), then curves.
    ordered = sorted(made, key=lambda each: (not each.chain, not each.old))
    hints = [each.signature.keyid for each in ordered]
    if len(set(hints)) < len(hints):
        raise Refused("a key would sign twice", "sign with another key")
    if sum(bool(each.chain) for each in ordered) > 1:
        raise Refused("a bundle has room for one certificate chain", "sign with one certificate")
    if len(ordered) > MAX_SIGNATURES:
        raise Refused(f"more than {MAX_SIGNATURES} signatures", "sign with fewer keys")
    first = ordered[0]
    signatures = (replace(first.signature, keyid=""), *(each.signature for each in ordered[1:]))
    hint = "" if first.chain else first.signature.keyid
    envelope = Envelope(IN_TOTO, payload, signatures)
    method: Method = "certificate" if first.chain else "key"
    return bundle.write(Bundle(envelope, method, hint, first.chain))
