"""A certificate authority for tests: roots, intermediates and leaves, good ones and bad ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CODE = ExtendedKeyUsageOID.CODE_SIGNING
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


def usage(*, sign: bool = False, issue: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(sign, False, False, False, False, issue, False, False, False)


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        lock = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, lock)


def issue(
    name: str,
    by: Issued | None = None,
    *,
    authority: bool = False,
    length: int | None = None,
    key_usage: x509.KeyUsage | None = None,
    purposes: Sequence[x509.ObjectIdentifier] = (),
    names: Sequence[x509.GeneralName] = (),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    start: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
    curve: ec.EllipticCurve | None = None,
) -> Issued:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = by or Issued(None, key)  # type: ignore[arg-type]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(authority, length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False
        )
    )
    if key_usage:
        builder = builder.add_extension(key_usage, critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for value, critical in extra:
        builder = builder.add_extension(value, critical=critical)
    return Issued(builder.sign(issuer.key, hashes.SHA256()), key)


def root(name: str = "root", **options: object) -> Issued:
    return issue(name, authority=True, key_usage=usage(issue=True), **options)  # type: ignore[arg-type]


def middle(by: Issued, name: str = "middle", **options: object) -> Issued:
    chosen: dict[str, object] = {"authority": True, "key_usage": usage(issue=True), **options}
    return issue(name, by, **chosen)  # type: ignore[arg-type]


def leaf(by: Issued, name: str = "signer", **options: object) -> Issued:
    chosen: dict[str, object] = {"key_usage": usage(sign=True), "purposes": [CODE], **options}
    return issue(name, by, **chosen)  # type: ignore[arg-type]
