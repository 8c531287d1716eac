"""Who acts on the fake: users, the App, its installations and their tokens."""

from __future__ import annotations

import functools
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LEVELS = ("read", "triage", "write", "maintain", "admin")
# What `permission` says for each role: GitHub folds two of them away.
FOLDED = {"triage": "read", "maintain": "write"}
TOKEN_SECONDS = 3600
EVENTS = ("check_run", "check_suite", "issue_comment", "issues", "merge_group", "pull_request",
          "push")  # fmt: skip
PERMISSIONS = {
    "administration": "read",
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


class Clock:
    """The time GitHub believes in: the machine's, moved by `advance`."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def stamp(self, moment: float | None = None) -> str:
        """A moment (now) as GitHub writes it: whole seconds, Z."""
        when = self.now() if moment is None else moment
        return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(eq=False)
class User:
    id: int
    login: str
    kind: str = "User"

    @property
    def email(self) -> str:
        return f"{self.login}@example.org"

    @property
    def name(self) -> str:
        return self.login.title()


@functools.cache
def private_key() -> rsa.RSAPrivateKey:
    """One real key for the whole session: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@dataclass(eq=False)
class App:
    id: int
    slug: str
    owner: User
    bot: User
    name: str = "Modelwarden"
    secret: str = field(default_factory=lambda: secrets.token_hex(20))
    permissions: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    events: list[str] = field(default_factory=lambda: list(EVENTS))
    hook_url: str = ""

    @property
    def key(self) -> str:
        """The private key, PEM."""
        return pem(private_key())

    def verify(self, token: str, skew: float) -> str | None:
        """Why this JSON Web Token is not ours now, or None. GitHub allows ten minutes of life."""
        try:
            claims = jwt.decode(
                token,
                private_key().public_key(),
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "require": ["iat", "exp"]},
            )
        except jwt.InvalidTokenError:
            return "A JSON web token could not be decoded"
        now = time.time() + skew
        if str(claims.get("iss")) != str(self.id):
            return "Integration not found"
        if claims["exp"] <= now:
            return "'Expiration time' claim ('exp') must be a numeric value representing the future"
        if claims["exp"] > now + 660:
            return "'Expiration time' claim ('exp') is too far in the future"
        if claims["iat"] > now + 60:
            return "'Issued at' claim ('iat') must be an Integer representing the past"
        return None


@dataclass(eq=False)
class Installation:
    id: int
    account: User
    permissions: dict[str, str]
    events: list[str]
    created: float
    repositories: list[int] = field(default_factory=list)
    suspended: float | None = None


@dataclass(eq=False)
class Token:
    value: str
    user: User
    expires: float
    installation: Installation | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    repositories: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Identity:
    """Who a request comes from: `kind` is app, installation or user."""

    kind: str
    user: User
    token: Token | None = None

    @property
    def key(self) -> str:
        """What the rate limits count by."""
        if self.token is not None and self.token.installation is not None:
            return f"installation {self.token.installation.id}"
        return f"{self.kind} {self.user.login}"


def allows(granted: dict[str, str], need: str) -> bool:
    """Whether permissions such as {"checks": "write"} satisfy a need such as "checks:read"."""
    name, level = need.split(":")
    return granted.get(name) in (("read", "write") if level == "read" else ("write",))
