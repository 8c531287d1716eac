"""Keys of three people, and the text of trust files about them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from security.identity import Identity
from security.sign.keys import KeySigner, generate, load_signer
from security.trust.loading import load
from security.trust.trustfile import TrustFile

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
KEYS = {
    "alice-1": ("alice", "ecdsa-p256"),
    "alice-pq": ("alice", "ml-dsa-65"),
    "bob-1": ("bob", "ed25519"),
    "bob-pq": ("bob", "ml-dsa-65"),
    "carol-1": ("carol", "ecdsa-p384"),
}


@cache
def signer(name: str) -> KeySigner:
    """Return the key of that name, the same each time."""
    return load_signer(generate(KEYS[name][1]))


def proven(*names: str) -> tuple[Identity, ...]:
    """Return identities as verification gives them."""
    found = [(name, signer(name).public) for name in names]
    return tuple(Identity(name, "key", key.kind, key.hint) for name, key in found)


def key_table(name: str, more: str = "") -> str:
    """Return the table of a key; `more` is further lines."""
    pem = signer(name).public.pem
    return f'[keys.{name}]\nowner = "{KEYS[name][0]}"\npublic = """\n{pem}"""\n{more}\n'


def role(
    name: str = "release",
    actions: str = '"release"',
    members: str = '"alice", "bob"',
    threshold: int = 1,
    artifacts: str = '"acme/small"',
    more: str = "",
) -> str:
    """Return the table of a role."""
    return (
        f"[roles.{name}]\nactions = [{actions}]\nmembers = [{members}]\nthreshold = {threshold}\n"
        f"artifacts = [{artifacts}]\n{more}\n"
    )


PEOPLE = """
[people.alice]
account = "Alice-GH"
[people.bob]
account = "bob"
id = 7
[people.carol]
"""


def top(version: int = 1, expires: str = "2027-06-30", project: str = "acme/small") -> str:
    """Return the first lines of a trust file."""
    return f'format = 1\nproject = "{project}"\nversion = {version}\nexpires = {expires}\n'


def text(*roles: str, keys: tuple[str, ...] = tuple(KEYS), head: str = "", more: str = "") -> str:
    """Return a trust file with these roles, and these keys unless they come in `more`."""
    tables = "".join(key_table(name) for name in keys)
    return (head or top()) + more + PEOPLE + tables + "".join(roles)


def read(content: str, name: str = "trust.toml") -> TrustFile:
    """Load the text."""
    return load(content.encode(), name)
