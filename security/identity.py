"""Who signs: public keys by their hint, what can sign, and who was proven to have signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

P256, P384, P521, ED25519, MLDSA65 = (
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "ed25519",
    "ml-dsa-65",
)
Method = Literal["key", "certificate", "sigstore"]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key. `pem` is its SubjectPublicKeyInfo with the final newline; `hint` the lower-case
    hex SHA-256 of that text, by which OMS names a key."""

    kind: str
    pem: str
    hint: str


class Signer(Protocol):
    """Whatever can sign with one key: a key file, a PKCS#11 token, a key service."""

    @property
    def public(self) -> PublicKey:
        """The key that verifies what `sign` returns."""

    def sign(self, data: bytes) -> bytes:
        """Sign all of `data`: DER for ECDSA (hash by curve), raw for Ed25519 and ML-DSA."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whose signature was proven. `name` is what trust calls them: a key's name in the
    trust file, a certificate's subject alternative name, or the key's hint."""

    name: str
    method: Method
    kind: str
    hint: str
