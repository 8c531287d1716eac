"""Signing keys: made, kept behind a passphrase, read, used, and public ones to check with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from security.errors import BadKey
from security.identity import ED25519, MLDSA65, P256, P384, P521, PublicKey
from security.sign import pkcs8

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    _Private = EllipticCurvePrivateKey | Ed25519PrivateKey | MLDSA65PrivateKey

KINDS = (P256, P384, P521, ED25519, MLDSA65)
PUBLIC_LIMIT = 16_384  # bytes of a public key's PEM; ML-DSA-65 has 2,726
PRIVATE_LIMIT = 65_536
# Bytes of a signature, at most (DER of two numbers) or exactly.
SIZES = {P256: 72, P384: 104, P521: 139, ED25519: 64, MLDSA65: 3309}
_CURVES = {"secp256r1": P256, "secp384r1": P384, "secp521r1": P521}
_HINT = "give a PEM file of a P-256, P-384, P-521, Ed25519 or ML-DSA-65 key"


class KeySigner:
    """A private key in memory. Its text forms name the public key only, and it is never pickled."""

    __slots__ = ("_key", "_public")

    def __init__(self, key: _Private) -> None:
        self._key = key
        self._public = named(key.public_key())

    @property
    def public(self) -> PublicKey:
        """The key that verifies what `sign` returns."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Sign all of `data`: DER for ECDSA (hash by curve), raw for Ed25519 and ML-DSA."""
        from cryptography.hazmat.primitives.asymmetric import ec

        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(data, ec.ECDSA(_hash(self._public.kind)))
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"KeySigner({self._public.kind}, {self._public.hint})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied or pickled")


def generate(kind: str = P256) -> bytes:
    """Return a new private key, PKCS#8 PEM, not encrypted. Raises BadKey for an unknown kind."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    key: _Private
    if kind == MLDSA65:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        key = mldsa.MLDSA65PrivateKey.generate()
    elif kind == ED25519:
        key = ed25519.Ed25519PrivateKey.generate()
    elif kind in (P256, P384, P521):
        curves = {P256: ec.SECP256R1(), P384: ec.SECP384R1(), P521: ec.SECP521R1()}
        key = ec.generate_private_key(curves[kind])
    else:
        raise BadKey(f"there is no key kind {kind!r:.40}", f"choose one of {', '.join(KINDS)}")
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def encrypted(pem: bytes, passphrase: bytes) -> bytes:
    """Return the private key behind a passphrase: PKCS#8 with PBES2, as openssl reads it."""
    from cryptography.hazmat.primitives import serialization as form

    if not passphrase:
        raise BadKey("the passphrase is empty", "give one of several words")
    key = _load(pem, None)
    der = key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
    return pkcs8.lock(der, passphrase)


def load_signer(data: bytes, passphrase: Callable[[], bytes] | None = None) -> KeySigner:
    """Read a private key (PEM). `passphrase` is asked only if the key has one, and not kept.

    Raises BadKey for a wrong or missing passphrase, and a kind that cannot sign here.
    """
    return KeySigner(_load(data, passphrase))


def read_public(data: bytes) -> PublicKey:
    """Read a public key (PEM, SubjectPublicKeyInfo). Raises BadKey for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if len(data) > PUBLIC_LIMIT:
        raise BadKey(f"a public key of more than {PUBLIC_LIMIT:,} bytes", _HINT)
    start = data.find(b"-----BEGIN PUBLIC KEY-----")  # some tools describe the key before it
    text = data[max(start, 0) :]
    if start < 0 or data.count(b"-----BEGIN") != 1:
        raise BadKey("not one public key in PEM (BEGIN PUBLIC KEY)", _HINT)
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("a public key that cannot be read", _HINT) from None
    return named(key)


def check(public: PublicKey, signature: bytes, data: bytes) -> bool:
    """Tell whether the signature is that of `data` by this key, algorithm and hash by its kind."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

    key = _opened(public.pem)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(_hash(public.kind)))
        elif isinstance(key, ed25519.Ed25519PublicKey | mldsa.MLDSA65PublicKey):
            key.verify(signature, data)
        else:
            return False
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _opened(pem: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return load_pem_public_key(pem.encode())


def _load(data: bytes, passphrase: Callable[[], bytes] | None) -> _Private:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if len(data) > PRIVATE_LIMIT:
        raise BadKey(f"a private key of more than {PRIVATE_LIMIT:,} bytes", _HINT)
    word = None
    if b"ENCRYPTED" in data:
        word = passphrase() if passphrase else b""
        if not word:
            raise BadKey("the private key has a passphrase", "give it when asked, or by a file")
    try:
        key = load_pem_private_key(data, word)
    # None of these is chained: what the library says may quote what it was given.
    except UnsupportedAlgorithm:
        raise BadKey("a private key of a kind that is not used here", _HINT) from None
    except (ValueError, TypeError):
        if word:
            hint = "give the passphrase that it was saved with"
            raise BadKey("wrong passphrase, or a damaged private key", hint) from None
        raise BadKey("not a private key in PEM", _HINT) from None
    kinds = (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, mldsa.MLDSA65PrivateKey)
    if not isinstance(key, kinds):
        raise BadKey("a private key of a kind that is not used here", _HINT)
    return key


def named(key: object) -> PublicKey:
    """Return the public key of a library's object. Raises BadKey for a kind not used here."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        kind = _CURVES[key.curve.name]
    elif isinstance(key, ed25519.Ed25519PublicKey):
        kind = ED25519
    elif isinstance(key, mldsa.MLDSA65PublicKey):
        kind = MLDSA65
    else:
        raise BadKey("a key of a kind that is not used here", _HINT)
    # Written again, so that one key has one text and one hint, as the reference does.
    pem = key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(kind, pem.decode(), hashlib.sha256(pem).hexdigest())


def _hash(kind: str) -> HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    return {P256: hashes.SHA256(), P384: hashes.SHA384(), P521: hashes.SHA512()}[kind]
