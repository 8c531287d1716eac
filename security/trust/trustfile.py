"""A trust file as it was read: people, their keys, and the roles that let them act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from security.errors import Untrusted
from security.identity import Identity, PublicKey
from security.trust import deciding
from security.trust.artifacts import canonical, covers

PLACE = ".github/trust.toml"
ACTIONS = ("release", "attest", "rotate", "waive", "open", "audit")


@dataclass(frozen=True, slots=True)
class Person:
    """Who owns keys and acts by an account; `id` never changes hands, a login may."""

    name: str
    account: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves a person: a key, or the subject of a certificate or keyless signature, the
    latter with the issuer that proved it.

    `start` and `end` are the first and the last day it counts; once revoked it counts for nothing,
    since nothing proves when it signed.
    """

    name: str
    owner: str
    public: PublicKey | None = None
    subject: str = ""
    issuer: str = ""
    method: str = "key"
    start: date | None = None
    end: date | None = None
    revoked: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """Members (people, or single keys) who may do `actions` to `artifacts`, `threshold` people
    together. `also`: kinds of key of which one signature each must be there."""

    name: str
    actions: tuple[str, ...]
    members: tuple[str, ...]
    threshold: int
    artifacts: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustFile:
    """The `Trust` of a project. `digest` is the SHA-256 (hex) of the file's bytes; only `load`
    makes one."""

    file: str
    digest: str
    project: str
    version: int
    expires: date
    persons: tuple[Person, ...]
    credentials: tuple[Credential, ...]
    certificates: tuple[bytes, ...]
    roles: tuple[Role, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...]

    def keys(self) -> tuple[tuple[str, PublicKey], ...]:
        """Return (name, key) of every key, revoked ones too."""
        return tuple((c.name, c.public) for c in self.credentials if c.public)

    def owners(self) -> dict[str, str]:
        """Return whose every key is, revoked ones too, by the key's hint."""
        return {c.public.hint: c.owner for c in self.credentials if c.public}

    def roots(self) -> tuple[bytes, ...]:
        """Return root certificates (PEM) that are not revoked."""
        return self.certificates

    def people(self) -> tuple[tuple[str, str, str], ...]:
        """Return (name, identity, issuer) of whoever signs without a key."""
        keyless = (c for c in self.credentials if c.method == "sigstore")
        return tuple((c.name, c.subject, c.issuer) for c in keyless)

    def hidden(self, artifact: str) -> tuple[str, ...]:
        """Return top-level paths that a signature of this artifact ("": the project) may leave
        out."""
        name = canonical(artifact or self.project)
        found = (paths for pattern, paths in self.left_out if covers(pattern, name))
        return tuple(sorted({path for paths in found for path in paths}))

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        """Let these proven signers do `action` to `artifact` ("": the project), or raise Untrusted
        saying why not."""
        self.fresh(now)
        deciding.allow(self, action, artifact or self.project, signers, now)

    def fresh(self, now: datetime) -> None:
        """Raise Untrusted if the file has expired; its last day still counts, in UTC."""
        if now.astimezone(UTC).date() > self.expires:
            raise Untrusted(
                f"{self.file}: version {self.version} of the trust file expired on {self.expires}",
                "get the newest one from the project; its rotate role renews it",
            )
