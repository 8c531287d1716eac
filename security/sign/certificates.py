"""Signatures by certificate: a chain from the signer to a root that is trusted, now.

Paths are built by `cryptography.x509.verification`: validity, basic constraints, path lengths, key
usage of authorities, name constraints, no unknown critical extension. Its rules for the leaf are
those of web servers, so ours stand here. The time is that of verification: nothing in such a
bundle proves an earlier one, although the reference believes the certificate's own first second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from security.errors import BadKey, Malformed, Untrusted
from security.identity import P256, P384, P521, Identity, PublicKey, Signer
from security.sign import keys
from security.sign.dsse import HINT

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509.verification import ExtensionPolicy, Policy

MAX_ROOTS = 1_000
MAX_DEPTH = 8  # authorities between signer and root
CHAIN_LIMIT = 1_000_000  # bytes of PEM of a chain or of one root's file
_ASK = "ask the signer for a chain to a root that you trust"


@dataclass(frozen=True, slots=True)
class Certified:
    """Signs with a key that certificates (DER, the signer's first) vouch for."""

    signer: Signer = field(repr=False)
    chain: tuple[bytes, ...] = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The key of the first certificate."""
        return self.signer.public

    def sign(self, data: bytes) -> bytes:
        """Sign all of `data`."""
        return self.signer.sign(data)


def certify(signer: Signer, pem: bytes) -> Certified:
    """Join a key and its certificates (PEM, the signer's first, the root not needed).

    Raises BadKey if the first certificate is of another key, or no elliptic curve's.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    chain = _load(pem, "the certificate chain")
    public = keys.named(chain[0].public_key())
    if public != signer.public:
        raise BadKey("the first certificate is not of the signing key", "put its own first")
    if public.kind not in (P256, P384, P521):
        raise BadKey(f"a certificate of an {public.kind} key", "use a P-256 or P-384 key")
    return Certified(signer, tuple(each.public_bytes(Encoding.DER) for each in chain))


def prove(chain: tuple[bytes, ...], roots: tuple[bytes, ...], now: datetime) -> PublicKey:
    """Return the key of the chain's first certificate (DER) if a root (PEM) vouches for it now.

    Raises Untrusted, saying what is wrong with the chain; Malformed.
    """
    from cryptography.x509 import verification

    leaf, *others = _parse(chain)
    anchors = [each for pem in roots[:MAX_ROOTS] for each in _load(pem, "a root certificate")]
    for_ca = verification.ExtensionPolicy.webpki_defaults_ca()
    builder = verification.PolicyBuilder().store(verification.Store(anchors)).time(now)
    builder = builder.max_chain_depth(MAX_DEPTH).extension_policies(
        ee_policy=verification.ExtensionPolicy.permit_all(), ca_policy=_with_purpose(for_ca)
    )
    try:
        with _reading():
            builder.build_client_verifier().verify(leaf, others)
    except verification.VerificationError as error:
        why = str(error).removeprefix("validation failed: ").split(" (encountered")[0]
        why = why.replace("Python extension validator failed: ValueError: ", "")
        raise Untrusted(f"the signer's certificate does not hold: {why}", _ASK) from error
    try:
        with _reading():
            _check_usage(leaf)
            public = keys.named(leaf.public_key())
    except BadKey as error:
        raise Untrusted(f"the signer's certificate is of {error.message}", _ASK) from error
    if public.kind not in (P256, P384, P521):
        raise Untrusted(f"the signer's certificate is of an {public.kind} key", _ASK)
    return public


def key_of(chain: tuple[bytes, ...]) -> PublicKey:
    """Return the key of the first certificate; nothing is proven. Raises Malformed, BadKey."""
    with _reading():
        return keys.named(_parse(chain[:1])[0].public_key())


def identify(chain: tuple[bytes, ...], public: PublicKey) -> Identity:
    """Return who a proven chain speaks of: its one alternative name, else its whole subject."""
    from cryptography import x509

    (leaf,) = _parse(chain[:1])
    with _reading():
        name = leaf.subject.rfc4514_string()
        try:
            found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            found = x509.SubjectAlternativeName([])
    texts = (x509.RFC822Name, x509.UniformResourceIdentifier, x509.DNSName)
    names = [each.value for each in found if isinstance(each, texts)]
    # One certificate is one signer: of several names none would be the right one to count.
    if len(names) == len(found) == 1:
        name = names[0]
    return Identity(name, "certificate", public.kind, public.hint)


def _check_usage(leaf: x509.Certificate) -> None:
    from cryptography import x509

    found = False
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        found = True
        if not usage.digital_signature:
            raise Untrusted("the signer's certificate is not for digital signatures", _ASK)
    except x509.ExtensionNotFound:
        pass
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        found = True
        if not _signs_code(purposes):
            raise Untrusted("the signer's certificate is not for signing code", _ASK)
    except x509.ExtensionNotFound:
        pass
    if not found:
        raise Untrusted("the signer's certificate does not say that it is for signing", _ASK)


def _with_purpose(policy: ExtensionPolicy) -> ExtensionPolicy:
    from cryptography import x509
    from cryptography.x509.verification import Criticality

    def check(_: Policy, __: x509.Certificate, purposes: x509.ExtendedKeyUsage | None) -> None:
        if purposes is not None and not _signs_code(purposes):
            raise ValueError("an authority that is not for signing code")

    return policy.may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, check)


def _signs_code(purposes: x509.ExtendedKeyUsage) -> bool:
    from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

    return Purpose.CODE_SIGNING in purposes or Purpose.ANY_EXTENDED_KEY_USAGE in purposes


def _parse(chain: tuple[bytes, ...]) -> list[x509.Certificate]:
    from cryptography import x509

    with _reading():
        found = [x509.load_der_x509_certificate(der) for der in chain]
        for der, each in zip(chain, found, strict=True):
            # Before the signature stands a count of spare bits, which nothing covers.
            if not der.endswith(b"\0" + each.signature):
                raise Malformed("a certificate in an odd spelling", HINT)
    return found


@contextmanager
def _reading() -> Iterator[None]:
    # Certificates are parsed piece by piece, as they are asked for.
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.utils import CryptographyDeprecationWarning

    odd = (
        CryptographyDeprecationWarning,  # an exception where warnings are
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        UnsupportedAlgorithm,
    )
    try:
        yield
    except (ValueError, TypeError, *odd) as error:
        raise Malformed("a certificate that cannot be read", HINT) from error


def _load(pem: bytes, what: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        if len(pem) > CHAIN_LIMIT:
            raise BadKey(f"{what} has more than {CHAIN_LIMIT:,} bytes", "give certificates in PEM")
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise BadKey(f"{what} cannot be read", "give certificates in PEM") from error
