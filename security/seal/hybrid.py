"""Post-quantum recipients of age: `age1pq1...`, HPKE over ML-KEM-768 and X25519.

C2SP age.md, "The MLKEM768-X25519 hybrid post-quantum recipient type"; RFC 9180; X-Wing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from security.errors import Malformed, Unavailable
from security.seal import bech32
from security.seal.header import HINT, Kind, Stanza, argument, decode

TYPE = "mlkem768x25519"
PREFIX, SECRET_PREFIX = "age1pq", "AGE-SECRET-KEY-PQ-"
INFO = b"age-encryption.org/mlkem768x25519"
LATTICE_KEY, LATTICE_SHARE = 1184, 1088  # bytes; an X25519 key or share of 32 follows
SHARE, BODY, SEED = LATTICE_SHARE + 32, 32, 32


@dataclass(frozen=True, slots=True)
class HybridRecipient:
    """A public key; its text is `str` of it."""

    public: bytes = field(repr=False)
    kind: Kind = field(default="hybrid", init=False)

    def wrap(self, file_key: bytes) -> tuple[Stanza, ...]:
        """Wrap under a fresh share. Raises Malformed for a key that is none."""
        with _usable():
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.public[:LATTICE_KEY]),
                X25519PublicKey.from_public_bytes(self.public[LATTICE_KEY:]),
            )
            sealed = _suite().encrypt(file_key, key, INFO)
        return (Stanza(TYPE, (argument(sealed[:SHARE]),), sealed[SHARE:]),)

    def __str__(self) -> str:
        return bech32.encode(PREFIX, self.public)


@dataclass(frozen=True, slots=True, eq=False)
class HybridIdentity:
    """A secret key. Nothing prints it but `secret`."""

    seed: bytes = field(repr=False)
    key: MLKEM768X25519PrivateKey = field(repr=False)
    scalar: X25519PrivateKey = field(repr=False)
    recipient: HybridRecipient

    def secret(self) -> str:
        """The text of a key file: keep it in one of mode 0600 only."""
        return bech32.encode(SECRET_PREFIX.lower(), self.seed).upper()

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """Find the file key in a stanza of ours. Raises Malformed."""
        if stanza.type != TYPE:
            return None
        if len(stanza.args) != 1 or len(stanza.body) != BODY:
            raise Malformed("a hybrid stanza of another shape", HINT)
        share = decode(stanza.args[0], SHARE, "a hybrid share")
        try:  # HPKE would answer a point of low order as it answers a key of somebody else's
            self.scalar.exchange(X25519PublicKey.from_public_bytes(share[LATTICE_SHARE:]))
        except ValueError as error:
            raise Malformed("a hybrid share of low order", HINT) from error
        try:
            return _suite().decrypt(share + stanza.body, self.key, INFO)
        except InvalidTag:
            return None


def recipient(text: str) -> HybridRecipient:
    """Read `age1pq1...`. Raises Malformed."""
    prefix, data = bech32.decode(text)
    if prefix != PREFIX or len(data) != LATTICE_KEY + 32:
        raise Malformed("not a hybrid recipient", "give a key that begins with age1pq1")
    with _usable():
        MLKEM768PublicKey.from_public_bytes(data[:LATTICE_KEY])
    return HybridRecipient(data)


def identity(text: str) -> HybridIdentity:
    """Read `AGE-SECRET-KEY-PQ-1...`. Raises Malformed."""
    prefix, data = bech32.decode(text)
    if prefix != SECRET_PREFIX or len(data) != SEED:
        raise Malformed("not a hybrid identity", "give a key that begins with AGE-SECRET-KEY-PQ-1")
    return _identity(data)


def generate() -> HybridIdentity:
    """Make a new identity from the system's randomness."""
    return _identity(os.urandom(SEED))


def _identity(seed: bytes) -> HybridIdentity:
    expanded = hashlib.shake_256(seed).digest(96)
    with _usable():
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    scalar = X25519PrivateKey.from_private_bytes(expanded[64:])
    public = lattice.public_key().public_bytes_raw() + scalar.public_key().public_bytes_raw()
    key = MLKEM768X25519PrivateKey(lattice, scalar)
    return HybridIdentity(seed, key, scalar, HybridRecipient(public))


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise Malformed("a hybrid recipient that is no key", bech32.HINT) from error
    except UnsupportedAlgorithm as error:
        hint = "install cryptography from its wheel, or use classic keys"
        raise Unavailable("cryptography has no ML-KEM here", hint) from error


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
