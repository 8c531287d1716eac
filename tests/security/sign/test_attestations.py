from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import TooLarge, Untrusted
from security.identity import ED25519, MLDSA65, P256, Identity
from security.manifest import Entry, Manifest
from security.sign import attestations, signing
from security.trust.single import KeyTrust
from tests.security.sign.making import dumped, signer, wrapped
from tests.security.sign.trusts import Everyone

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT, OTHER = "ab" * 32, "cd" * 32
ALL = Everyone(tuple((kind, signer(kind).public) for kind in (P256, ED25519)))
SCAN = "urn:modelwarden:scan:v1"


def line(root: str = ROOT, *kinds: str, **predicate: object) -> bytes:
    by = [signer(kind) for kind in kinds or (P256,)]
    return signing.attest("model", root, SCAN, predicate, by)


def judge(data: bytes) -> tuple[attestations.Attestation, ...]:
    return attestations.judge(data, ROOT, ALL, "model", NOW)


def test_every_line_is_judged_by_itself() -> None:
    data = b"\n".join([line(a=1), line(OTHER), line(ROOT, MLDSA65), line(ROOT, ED25519, P256)])
    first, other, stranger, last = judge(data + b"\n")
    assert (first.predicate_type, json.loads(first.predicate)) == (SCAN, {"a": 1})
    assert first.doubt == last.doubt == ""
    assert [each.kind for each in last.signers] == [P256, ED25519]
    assert "another root" in other.doubt and other.signers
    assert "no trusted key" in stranger.doubt and not stranger.signers
    assert stranger.predicate_type == SCAN  # is told, and doubted


def spoiled() -> bytes:
    made = json.loads(line())
    made["dsseEnvelope"]["payload"] = json.loads(line(b=1))["dsseEnvelope"]["payload"]
    return dumped(made)


RELEASE = signing.sign_manifest(Manifest((Entry("a", 1, ROOT),)), "model", [signer()])
BAD = {
    "empty line": (b"", "not a bundle"),
    "text": (b"licence: fine", "not a bundle"),
    "another payload": (spoiled(), "does not fit"),
    "a release": (RELEASE, "release among"),
    "no statement": (dumped(wrapped(b'{"ok":true}')), "no _type"),
    "cut": (line()[:-1], "not a bundle"),
    "carriage return": (b"\r", "not a bundle"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_listed_with_its_doubt(name: str) -> None:
    bad, doubt = BAD[name]
    first, second, third = judge(b"\n".join([line(), bad, line(c=1)]))
    assert doubt in second.doubt and not first.doubt and not third.doubt
    if name in ("empty line", "text", "cut", "carriage return"):
        assert second == attestations.Attestation("", "", (), second.doubt)


@dataclass(frozen=True)
class NoAttesters(Everyone):
    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        if action == "attest":
            raise Untrusted(f"{signers[0].name} may not attest {artifact}", "ask")


def test_trust_decides_who_may_attest() -> None:
    (found,) = attestations.judge(line(), ROOT, NoAttesters(ALL.known), "model", NOW)
    assert found.doubt == f"{P256} may not attest model" and found.signers


def test_nothing_is_nothing() -> None:
    assert judge(b"") == ()
    (only,) = judge(b"\n")
    assert only.doubt


def test_number_and_size_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        judge(b"\n" * (attestations.MAX_LINES + 1))
    monkeypatch.setattr(attestations, "LIMIT", 10)
    with pytest.raises(TooLarge):
        judge(b"x" * 11)


LINE = line(verdict="clean")


@given(st.integers(0, len(LINE) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_any_changed_byte_is_doubted(at: int, flip: int) -> None:
    data = bytearray(LINE)
    data[at] ^= flip
    trust = KeyTrust(signer().public)
    assert all(a.doubt for a in attestations.judge(bytes(data), ROOT, trust, "model", NOW))
