"""A private key behind a passphrase: PKCS#8 with PBES2, scrypt and AES-256-CBC (RFC 5958, 7914).

Written here because `cryptography` writes PBKDF2 with 2,048 rounds, too few for a passphrase; it,
openssl and whatever is built on them read this. Authentication is not PBES2's: a wrong passphrase
shows in the padding or in the key inside.
"""

from __future__ import annotations

import base64
import secrets
import textwrap

# OWASP's choice for 16 MiB: openssl reads no scrypt that wants more than 32 MiB.
N, R, P = 1 << 14, 8, 5
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES256_CBC = bytes.fromhex("060960864801650304012a")


def lock(der: bytes, passphrase: bytes) -> bytes:
    """Return EncryptedPrivateKeyInfo (PEM) of a PrivateKeyInfo (DER)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    from cryptography.hazmat.primitives.padding import PKCS7

    salt, start = secrets.token_bytes(16), secrets.token_bytes(16)
    key = Scrypt(salt=salt, length=32, n=N, r=R, p=P).derive(passphrase)
    pad = PKCS7(128).padder()
    sealer = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    body = sealer.update(pad.update(der) + pad.finalize()) + sealer.finalize()
    kdf = _sequence(_SCRYPT, _sequence(_octets(salt), _integer(N), _integer(R), _integer(P)))
    scheme = _sequence(_PBES2, _sequence(kdf, _sequence(_AES256_CBC, _octets(start))))
    text = base64.b64encode(_sequence(scheme, _octets(body))).decode()
    name = "ENCRYPTED PRIVATE KEY"
    lines = [f"-----BEGIN {name}-----", *textwrap.wrap(text, 64), f"-----END {name}-----", ""]
    return "\n".join(lines).encode()


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _octets(value: bytes) -> bytes:
    return _tagged(0x04, value)


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tagged(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body
