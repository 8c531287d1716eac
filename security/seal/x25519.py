"""Classic recipients of age: `age1...` and `AGE-SECRET-KEY-1...` (C2SP age.md, X25519)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from security.errors import Malformed
from security.seal import bech32
from security.seal.header import HINT, Kind, Stanza, argument, decode

TYPE = "X25519"
PREFIX, SECRET_PREFIX = "age", "AGE-SECRET-KEY-"
INFO = b"age-encryption.org/v1/X25519"
SIZE = 32  # bytes of a key, of a share and of a body
NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class X25519Recipient:
    """A public key; its text is `str` of it."""

    public: bytes
    kind: Kind = field(default="classic", init=False)

    def wrap(self, file_key: bytes) -> tuple[Stanza, ...]:
        """Wrap under a fresh share. Raises Malformed for a key of low order."""
        secret = X25519PrivateKey.generate()
        share = secret.public_key().public_bytes_raw()
        key = _key(secret, self.public, share, self.public)
        body = ChaCha20Poly1305(key).encrypt(NONCE, file_key, None)
        return (Stanza(TYPE, (argument(share),), body),)

    def __str__(self) -> str:
        return bech32.encode(PREFIX, self.public)


@dataclass(frozen=True, slots=True, eq=False)
class X25519Identity:
    """A secret key. Nothing prints it but `secret`."""

    key: X25519PrivateKey = field(repr=False)
    recipient: X25519Recipient

    def secret(self) -> str:
        """The text of a key file: keep it in one of mode 0600 only."""
        return bech32.encode(SECRET_PREFIX.lower(), self.key.private_bytes_raw()).upper()

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """Find the file key in a stanza of ours. Raises Malformed."""
        if stanza.type != TYPE:
            return None
        if len(stanza.args) != 1 or len(stanza.body) != SIZE:
            raise Malformed("an X25519 stanza of another shape", HINT)
        share = decode(stanza.args[0], SIZE, "an X25519 share")
        key = _key(self.key, share, share, self.recipient.public)
        try:
            return ChaCha20Poly1305(key).decrypt(NONCE, stanza.body, None)
        except InvalidTag:
            return None


def recipient(text: str) -> X25519Recipient:
    """Read `age1...`. Raises Malformed."""
    prefix, data = bech32.decode(text)
    if prefix != PREFIX or len(data) != SIZE:
        raise Malformed("not an X25519 recipient", "give a key that begins with age1")
    return X25519Recipient(data)


def identity(text: str) -> X25519Identity:
    """Read `AGE-SECRET-KEY-1...`. Raises Malformed."""
    prefix, data = bech32.decode(text)
    if prefix != SECRET_PREFIX or len(data) != SIZE:
        raise Malformed("not an X25519 identity", "give a key that begins with AGE-SECRET-KEY-1")
    return _identity(X25519PrivateKey.from_private_bytes(data))


def generate() -> X25519Identity:
    """Make a new identity from the system's randomness."""
    return _identity(X25519PrivateKey.generate())


def _identity(key: X25519PrivateKey) -> X25519Identity:
    return X25519Identity(key, X25519Recipient(key.public_key().public_bytes_raw()))


def _key(secret: X25519PrivateKey, public: bytes, share: bytes, recipient: bytes) -> bytes:
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:  # the all-zero secret of a point of low order
        raise Malformed("an X25519 share of low order", HINT) from error
    return HKDF(SHA256(), 32, share + recipient, INFO).derive(shared)
