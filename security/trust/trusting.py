"""What verification asks of whoever decides about trust."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

from security.identity import Identity, PublicKey


class Trust(Protocol):
    """Keys to check signatures with, and the decision about those that were proven."""

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return (name, key) of every key known, revoked ones too; names are unique."""

    def roots(self) -> tuple[bytes, ...]:
        """Return root certificates (PEM) that may vouch for a signer's certificate."""

    def hidden(self, artifact: str) -> tuple[str, ...]:
        """Return top-level paths that a signature may leave out beyond the usual ones."""

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        """Decide whether these proven signers may do `action` ("release", "attest") to `artifact`.

        Raises Untrusted, saying who is missing, expired or revoked.
        """


@runtime_checkable
class Keyless(Protocol):
    """A trust that also knows people by what an identity provider calls them."""

    def people(self) -> tuple[tuple[str, str, str], ...]:
        """Return (name, identity, issuer): whose keyless signatures may count; names are unique."""
