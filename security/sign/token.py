"""Keys in a PKCS#11 token or module: the key stays there, the signature comes out.

PKCS#11 v2.40 sections 2.3.1 (ECDSA, which answers r || s) and v3.0 2.3.14 (EdDSA).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from security.errors import BadKey, SecurityError, Unavailable
from security.identity import ED25519, P256, P384, P521, PublicKey
from security.sign import keys

if TYPE_CHECKING:
    import pkcs11

# DER of what the attribute EC_PARAMS holds: an object identifier, or Edwards' curve by name.
CURVES = {
    bytes.fromhex("06082a8648ce3d030107"): P256,
    bytes.fromhex("06052b81040022"): P384,
    bytes.fromhex("06052b81040023"): P521,
    bytes.fromhex("06032b6570"): ED25519,
    bytes.fromhex("130c") + b"edwards25519": ED25519,
}
POINTS = {P256: 65, P384: 97, P521: 133, ED25519: 32}  # bytes
HASHES = {P256: "sha256", P384: "sha384", P521: "sha512"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is: the module's library (absolute path), the token's label, the key's."""

    library: Path
    token: str
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class TokenSigner:
    """A key of an open token; `opened` makes it."""

    place: Place
    public: PublicKey
    _key: Any = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign, and check what came back before it is given away. Raises BadKey, Unavailable."""
        with _errors(self.place):
            signature = self._signed(data)
        if not keys.check(self.public, signature, data):
            raise BadKey(
                f"the token {self.place.token!r} signed with another key than"
                f" {self.place.label!r}'s public one",
                "store the public key that belongs to the private one under the same label",
            )
        return signature

    def _signed(self, data: bytes) -> bytes:
        import hashlib

        import pkcs11

        if self.public.kind == ED25519:
            return bytes(self._key.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
        digest = hashlib.new(HASHES[self.public.kind], data).digest()
        return _der(bytes(self._key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)))


@contextmanager
def opened(place: Place, pin: Callable[[], bytes]) -> Iterator[TokenSigner]:
    """Log in, and give the signer of the key; log out at the end.

    The PIN is asked for once, and given to the module only. Raises BadKey for a wrong PIN or a key
    that cannot sign here, Unavailable without module, token or key.
    """
    with _errors(place):
        session = _token(place).open(user_pin=pin().decode())
    try:
        with _errors(place):
            signer = _found(place, session)
        yield signer
    finally:
        with _errors(place):
            session.close()


def _token(place: Place) -> pkcs11.Token:
    try:
        import pkcs11
    except ImportError:
        raise Unavailable("python-pkcs11 is not installed", "install modelwarden[pkcs11]") from None
    if not place.library.is_absolute() or not place.library.is_file():
        raise Unavailable(
            f"{place.library} is no PKCS#11 library", "give the absolute path of the module's .so"
        )
    try:
        return pkcs11.lib(str(place.library)).get_token(token_label=place.token)
    except RuntimeError as error:
        if isinstance(error, pkcs11.PKCS11Error):
            raise
        raise Unavailable(
            f"{place.library} cannot be loaded", "give a PKCS#11 library of this machine"
        ) from None


def _found(place: Place, session: pkcs11.Session) -> TokenSigner:
    import pkcs11

    public = _only(place, session, pkcs11.ObjectClass.PUBLIC_KEY)
    private = _only(place, session, pkcs11.ObjectClass.PRIVATE_KEY)
    kind = CURVES.get(bytes(public[pkcs11.Attribute.EC_PARAMS]))
    if kind is None:
        raise BadKey(f"{place.label!r} is on a curve that is not used here", "use P-256 or Ed25519")
    pem = _pem(kind, _content(bytes(public[pkcs11.Attribute.EC_POINT]), POINTS[kind]), place)
    return TokenSigner(place, keys.read_public(pem), private)


def _only(place: Place, session: pkcs11.Session, kind: pkcs11.ObjectClass) -> Any:
    """Find one object. The search is read to its end: `get_key` leaves it open at a second one."""
    import pkcs11

    attributes = {pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.LABEL: place.label}
    found = list(session.get_objects(attributes))
    if not found:
        hint = "give a key pair whose two halves have this label"
        raise Unavailable(f"the token {place.token!r} has no key pair {place.label!r}", hint)
    if len(found) > 1:
        hint = "give each key a label of its own"
        raise BadKey(f"the token {place.token!r} has several keys {place.label!r}", hint)
    return found[0]


def _content(point: bytes, size: int) -> bytes:
    """Take a point out of its OCTET STRING; some modules leave that away."""
    head = bytes([4, size] if size < 0x80 else [4, 0x81, size])
    return point.removeprefix(head) if len(point) == len(head) + size else point


def _pem(kind: str, point: bytes, place: Place) -> bytes:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    curves = {P256: ec.SECP256R1(), P384: ec.SECP384R1(), P521: ec.SECP521R1()}
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    try:
        if kind == ED25519:
            key = ed25519.Ed25519PublicKey.from_public_bytes(point)
        else:
            key = ec.EllipticCurvePublicKey.from_encoded_point(curves[kind], point)
    except ValueError:
        raise BadKey(f"{place.label!r} has no point of its curve", "make the key again") from None
    return key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def _der(signature: bytes) -> bytes:
    """Turn r || s, halves of one length, into DER."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    half = len(signature) // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )


@contextmanager
def _errors(place: Place) -> Iterator[None]:
    """Say what a module's error means. None is chained: a module may quote what it was given."""
    try:
        import pkcs11 as p11
    except ImportError:
        yield
        return
    try:
        yield
    except SecurityError:
        raise
    except (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange):
        hint = "give the right PIN; a token locks itself after a few wrong ones"
        raise BadKey(f"the token {place.token!r} refused the PIN", hint) from None
    except p11.PinLocked:
        raise BadKey(
            f"the token {place.token!r} is locked", "let its security officer set a new PIN"
        ) from None
    except (p11.NoSuchToken, p11.TokenNotPresent):
        hint = "plug it in, or check its label"
        raise Unavailable(f"there is no token {place.token!r}", hint) from None
    except p11.MultipleTokensReturned:
        hint = "give each token a label of its own"
        raise BadKey(f"there are several tokens {place.token!r}", hint) from None
    except p11.PKCS11Error as error:
        why = type(error).__name__
        raise Unavailable(f"the token {place.token!r} failed ({why})", "check the token") from None
