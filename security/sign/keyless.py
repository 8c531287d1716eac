"""Keyless signatures, by the `sigstore` package: proven by what it brings, without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from security.errors import BadKey, Malformed, Unavailable, Untrusted
from security.identity import Identity
from security.manifest import Manifest
from security.sign import keys, statement
from security.sign.bundle import Bundle
from security.sign.dsse import HINT

if TYPE_CHECKING:
    from sigstore.oidc import IdentityToken

MAX_PEOPLE = 1_000
_ASK = "ask the signer which identity and issuer they sign with"


def prove(bundle: Bundle, data: bytes, people: tuple[tuple[str, str, str], ...]) -> Identity:
    """Return which of `people` (name, identity, issuer) signed the bundle of these bytes.

    Certificate, transparency log and times are checked against the roots that `sigstore` has on
    this machine. Raises Untrusted, Malformed; Unavailable without the package.
    """
    _package()
    from sigstore import errors
    from sigstore.models import Bundle as Theirs
    from sigstore.models import ClientTrustConfig, InvalidBundle
    from sigstore.verify import Verifier, policy

    if not all(identity and issuer for _, identity, issuer in people):
        raise Untrusted("a keyless signer without identity or issuer", "give both")
    wanted = [policy.Identity(identity=i, issuer=u) for _, i, u in people[:MAX_PEOPLE]]
    try:
        theirs = Theirs.from_json(data)
        verifier = Verifier(trusted_root=ClientTrustConfig.production(offline=True).trusted_root)
        kind, payload = verifier.verify_dsse(theirs, policy.AnyOf(list(wanted)))
        certificate = theirs.signing_certificate
        public = keys.named(certificate.public_key())
    except InvalidBundle as error:
        raise Malformed(f"not a keyless bundle: {_line(error)}", HINT) from error
    except errors.Error as error:
        raise Untrusted(f"the keyless signature does not hold: {_line(error)}", _ASK) from error
    except (ValueError, BadKey) as error:
        raise Malformed(f"not a keyless bundle: {_line(error)}", HINT) from error
    if (kind, payload) != (bundle.envelope.payload_type, bundle.envelope.payload):
        raise Malformed("the bundle says two things to two readers", HINT)
    for (name, _, _), each in zip(people, wanted, strict=False):
        try:
            each.verify(certificate)
        except errors.VerificationError:
            continue
        return Identity(name, "sigstore", public.kind, public.hint)
    raise Untrusted("the keyless signature is of nobody known", _ASK)


def sign(manifest: Manifest, name: str, token: Callable[[], str] | None = None) -> bytes:
    """Return a keyless bundle of a folder; this asks the certificate authority and the log.

    `token` gives an OpenID Connect token; without it that of the surrounding workflow is taken.
    Raises Unavailable without the package, a network or an identity; Refused.
    """
    _package()
    from sigstore import dsse, errors, oidc
    from sigstore import sign as signing
    from sigstore.models import ClientTrustConfig

    payload = statement.write(manifest, name)
    try:
        context = signing.SigningContext.from_trust_config(ClientTrustConfig.production())
        identity = _identity(token)
        with context.signer(identity) as signer:
            return signer.sign_dsse(dsse.Statement(payload)).to_json().encode()
    except (errors.Error, oidc.IdentityError, OSError) as error:
        why = f"no keyless signature: {type(error).__name__}"  # its text may hold the token
        raise Unavailable(why, "check the network and the identity, or sign with a key") from None


def _identity(token: Callable[[], str] | None) -> IdentityToken:
    from sigstore import oidc

    text = token() if token else oidc.detect_credential()
    if not text:
        raise Unavailable("no identity to sign with", "run it in a workflow, or give a token")
    return oidc.IdentityToken(text)


def _package() -> None:
    try:
        import sigstore  # noqa: F401 - whether it is there
    except ImportError as error:
        hint = "pip install 'modelwarden[sigstore]', or use a signature by a key"
        raise Unavailable("keyless signatures need the package sigstore", hint) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
