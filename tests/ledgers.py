"""Entries of ledgers for tests, and ledgers made of them without git."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from registry.release import log
from registry.release.ledger import Ledger, New

A = "acme/small"
NOW = datetime(2027, 1, 15, 12, 30, tzinfo=UTC)
EMPTY = log.read_log(b"")


def commit(version: str) -> str:
    return hashlib.sha1(version.encode()).hexdigest()


def root(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()


def claim(version: str, holder: str = "run-1", actor: str = "alice", **more: str) -> New:
    said = {"version": version, "commit": commit(version), "holder": holder}
    return New(actor, "claim", A, said | more)


def abandon(version: str, holder: str = "run-1", actor: str = "bob") -> New:
    return New(actor, "abandon", A, {"version": version, "holder": holder, "reason": "it died"})


def release(version: str, holder: str = "run-1", actor: str = "alice", **more: str) -> New:
    said = {
        "version": version,
        "commit": commit(version),
        "holder": holder,
        "root": root(version),
        "tag": f"v{version}",
        "document": root(f"document of {version}"),
    }
    return New(actor, "release", A, said | more)


def withdraw(version: str) -> New:
    return New("alice", "withdraw", A, {"version": version, "reason": "it leaks"})


def promote(version: str, expect: str = "", alias: str = "champion", **more: str) -> New:
    said = {"version": version, "alias": alias, "expect": expect, "reason": "it is better"}
    return New("carol", "promote", A, said | more)


def rollback(version: str, expect: str, alias: str = "champion") -> New:
    said = {"version": version, "alias": alias, "expect": expect, "reason": "it is slow"}
    return New("dora", "rollback", A, said)


def out(*versions: str) -> tuple[New, ...]:
    """Return the entries of versions that were claimed and released."""
    return tuple(new for version in versions for new in (claim(version), release(version)))


def made(*news: New, nonce: str = "0" * 32) -> bytes:
    """Return a log of entries, one a minute."""
    data = b""
    for minute, new in enumerate(news):
        time = NOW + timedelta(minutes=minute)
        data += log.written(log.read_log(data), [new], time, nonce)
    return data


def ledger(*news: New) -> Ledger:
    return log.read_log(made(*news))
