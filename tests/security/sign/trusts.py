"""A trust for tests that lets everybody it knows do everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from security.identity import Identity, PublicKey


@dataclass(frozen=True)
class Everyone:
    known: tuple[tuple[str, PublicKey], ...]
    left_out: tuple[str, ...] = ()

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        return self.known

    def roots(self) -> tuple[bytes, ...]:
        return ()

    def hidden(self, artifact: str) -> tuple[str, ...]:
        return self.left_out

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        assert signers
