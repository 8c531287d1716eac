"""Whose signatures on a bundle hold. Nothing that the bundle says is believed before."""

from __future__ import annotations

from datetime import datetime

from security.errors import Malformed, Tampered, Untrusted
from security.identity import Identity, PublicKey
from security.sign import certificates, keys, statement
from security.sign.bundle import Bundle
from security.sign.dsse import HINT
from security.trust.trusting import Keyless, Trust

_GET = "get the files and their signature again from whoever published them"


def prove(bundle: Bundle, data: bytes, trust: Trust, now: datetime) -> tuple[Identity, ...]:
    """Return who has signed the payload, by the keys and roots that trust knows; others count not.

    `data` are the bytes of the bundle. Raises Tampered where a known key did not make the
    signature that names it, Untrusted where nobody known has signed, Malformed.
    """
    named = trust.keys()
    known = {public.hint: (name, public) for name, public in named}
    signed = bundle.envelope.signed
    first, *others = bundle.envelope.signatures
    proven: list[Identity] = []
    if bundle.method == "sigstore":
        if others:
            raise Malformed("a keyless signature is not alone", HINT)
        return (_keyless(bundle, data, trust),)
    if bundle.method == "certificate" and trust.roots():
        public = certificates.prove(bundle.chain, trust.roots(), now)
        _check(public, first.sig, signed)
        proven.append(certificates.identify(bundle.chain, public))
    made = [(each.keyid, each.sig) for each in others]
    if bundle.method == "key":
        made.insert(0, (bundle.hint, first.sig))
    for hint, sig in made:
        if hint in known:
            name, public = known[hint]
            _check(public, sig, signed)
            proven.append(Identity(name, "key", public.kind, public.hint))
    if not proven:
        raise Untrusted(_strangers(bundle), "add the signer's key to the trust, if you know whose")
    if len({each.hint for each in proven}) < len(proven):
        raise Malformed("one key has signed twice", HINT)
    return tuple(proven)


def _check(public: PublicKey, sig: bytes, signed: bytes) -> None:
    if not keys.check(public, sig, signed):
        if statement.OLD.encode() in signed:  # believed only so far as to say why
            raise statement.too_old()
        raise Tampered(f"the signature of key {public.hint[:16]} does not fit what is signed", _GET)


def _strangers(bundle: Bundle) -> str:
    if bundle.method == "certificate":
        return "signed with a certificate, and no root is trusted"
    hints = (bundle.hint, *(each.keyid for each in bundle.envelope.signatures[1:]))
    return f"signed by no trusted key, but by {', '.join(hint[:16] for hint in hints)}"


def _keyless(bundle: Bundle, data: bytes, trust: Trust) -> Identity:
    people = trust.people() if isinstance(trust, Keyless) else ()
    if not people:
        why = "signed without a key, and nobody is trusted to do that"
        raise Untrusted(why, "name the signer's identity and its issuer")
    from security.sign import keyless

    return keyless.prove(bundle, data, people)
