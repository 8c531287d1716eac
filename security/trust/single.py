"""The trust of somebody without a trust file: one public key, or roots of certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from security.errors import Untrusted
from security.identity import Identity, PublicKey


@dataclass(frozen=True, slots=True)
class KeyTrust:
    """Whoever holds this key may do everything. `left_out`: paths that need not be signed."""

    public: PublicKey
    name: str = ""
    left_out: tuple[str, ...] = ()

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return the key."""
        return ((self.name or self.public.hint, self.public),)

    def roots(self) -> tuple[bytes, ...]:
        """Return no certificate."""
        return ()

    def hidden(self, artifact: str) -> tuple[str, ...]:
        """Return what may be left out of any artifact."""
        return self.left_out

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        """Let the key do it. Raises Untrusted if it is not among the signers."""
        if not any(s.method == "key" and s.hint == self.public.hint for s in signers):
            raise _stranger(action, f"not signed by key {self.public.hint[:16]}")


@dataclass(frozen=True, slots=True)
class CertificateTrust:
    """Whoever a root (PEM) vouches for may do everything; with `subject` only who is called so:
    by the one alternative name of the certificate, else its whole subject (RFC 4514)."""

    certificates: tuple[bytes, ...]
    subject: str = ""
    left_out: tuple[str, ...] = ()

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return no key."""
        return ()

    def roots(self) -> tuple[bytes, ...]:
        """Return the root certificates."""
        return self.certificates

    def hidden(self, artifact: str) -> tuple[str, ...]:
        """Return what may be left out of any artifact."""
        return self.left_out

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        """Let the named one do it. Raises Untrusted if nobody of that name signed."""
        found = [s.name for s in signers if s.method == "certificate"]
        if not found or (self.subject and self.subject not in found):
            wanted = self.subject or "anybody with a certificate"
            raise _stranger(action, f"signed by {', '.join(found) or 'a key'}, not by {wanted}")


@dataclass(frozen=True, slots=True)
class PersonTrust:
    """Whoever the issuer (OpenID Connect) calls by this identity may do everything, keyless."""

    identity: str
    issuer: str
    left_out: tuple[str, ...] = ()

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return no key."""
        return ()

    def roots(self) -> tuple[bytes, ...]:
        """Return no certificate."""
        return ()

    def people(self) -> tuple[tuple[str, str, str], ...]:
        """Return the one person."""
        return ((self.identity, self.identity, self.issuer),)

    def hidden(self, artifact: str) -> tuple[str, ...]:
        """Return what may be left out of any artifact."""
        return self.left_out

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        """Let the person do it. Raises Untrusted if somebody else signed."""
        if not any(s.method == "sigstore" and s.name == self.identity for s in signers):
            raise _stranger(action, f"not signed by {self.identity}")


def _stranger(action: str, why: str) -> Untrusted:
    return Untrusted(f"{action}: {why}", "use a signature of whom you trust, or trust its signer")
