"""A folder, its signatures and a trust file together, as somebody who downloads has them."""

import json
from pathlib import Path

import pytest

from security.errors import Untrusted
from security.hashing import measure
from security.sign.signing import attest, sign_manifest
from security.trust import releases
from security.trust.memory import Memory
from security.trust.releases import RELEASE, Release, predicate
from security.verify import Verified, verify
from tests.security.trust.people import NOW, key_table, read, role, signer, text

TWO = role("owners", threshold=2, more='also = ["ml-dsa-65"]') + role("press", '"attest"')
TRUST = read(text(TWO))


def release(folder: Path, version: str, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_bytes(version.encode() * 100)
    signers = [signer(name) for name in names]
    manifest = measure(folder)
    (folder / "model.sig").write_bytes(sign_manifest(manifest, "small", signers))
    stated = json.loads(predicate(Release(version)))
    said = attest("small", manifest.root, RELEASE, stated, signers)
    (folder / "model.intoto.jsonl").write_bytes(said)
    return folder


def verified(folder: Path, trust: object = TRUST, artifact: str = "acme/small") -> Verified:
    return verify(folder, trust=trust, artifact=artifact, now=NOW)  # type: ignore[arg-type]


def test_a_release_by_two_people(tmp_path: Path) -> None:
    found = verified(release(tmp_path / "m", "1.0.0", "alice-1", "bob-pq"))
    assert sorted(identity.name for identity in found.signers) == ["alice-1", "bob-pq"]
    (claim,) = found.claims(RELEASE)
    assert releases.read(claim.predicate.encode()).version == "1.0.0"


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("alice-1", "alice-pq"), "counted: alice"),
        (("alice-1", "carol-1"), "counted: alice"),
        (("alice-1", "bob-1"), "a signature of kind ml-dsa-65"),
    ],
)
def test_not_by_who_may(tmp_path: Path, names: tuple[str, ...], why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        verified(release(tmp_path / "m", "1.0.0", *names))


def test_another_artifact(tmp_path: Path) -> None:
    folder = release(tmp_path / "m", "1.0.0", "alice-1", "bob-pq")
    with pytest.raises(Untrusted, match="nobody may release 'acme/other'"):
        verified(folder, artifact="acme/other")


@pytest.mark.parametrize("artifact", ["acme/tiny", "acme/smal", "small/acme", "acme/small/x", "s"])
def test_one_release_is_not_taken_for_another(tmp_path: Path, artifact: str) -> None:
    both = read(text(role("owners", artifacts='"**"') + role("press", '"attest"')))
    folder = release(tmp_path / artifact.rpartition("/")[2], "1.0.0", "alice-1")  # as small
    for name in ("acme/small", "small", "other/small", "acme/small#head.w"):
        assert verified(folder, both, name).name == "small"
    with pytest.raises(Untrusted, match=f"signed as small, not as {artifact}"):
        verified(folder, both, artifact)


def test_the_version_is_said_by_who_may_release_not_by_who_may_attest(tmp_path: Path) -> None:
    folder = release(tmp_path / "m", "1.0.0", "alice-1", "bob-pq")
    root = verified(folder).manifest.root
    said = (folder / "model.intoto.jsonl").read_bytes().rstrip(b"\n")
    newer = json.loads(predicate(Release("99.0.0")))
    alone = attest("small", root, RELEASE, newer, [signer("alice-1")])  # may attest, as press
    others = attest("tiny", root, RELEASE, newer, [signer("alice-1"), signer("bob-pq")])
    (folder / "model.intoto.jsonl").write_bytes(b"\n".join((said, alone, others)) + b"\n")
    found = verified(folder)
    assert [claim.predicate for claim in found.claims(RELEASE)] == [
        '{"version":"1.0.0","previous":null}'
    ]
    doubts = [each.doubt for each in found.attestations]
    assert "to release 'acme/small' takes 2" in doubts[1]
    assert doubts[2] == "is about another artifact"


def test_a_key_that_was_revoked_since(tmp_path: Path) -> None:
    folder = release(tmp_path / "m", "1.0.0", "alice-1", "bob-pq")
    gone = key_table("alice-1", 'revoked = 2027-01-14\nreason = "stolen"')
    later = read(text(TWO, keys=("alice-pq", "bob-1", "bob-pq"), more=gone))
    with pytest.raises(Untrusted, match="alice-1 was revoked on 2027-01-14"):
        verified(folder, later)


def test_what_is_left_out_must_be_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / ".cache").write_text("x")
    (folder / "model.bin").write_text("y")
    manifest = measure(folder, ignored=(".cache",))
    signers = [signer("alice-1"), signer("bob-pq")]
    (folder / "model.sig").write_bytes(sign_manifest(manifest, "small", signers))
    with pytest.raises(Untrusted, match=r"leaves out \.cache"):
        verified(folder)
    more = '[hidden]\n"acme/*" = [".cache"]\n'
    assert verified(folder, read(text(TWO, more=more))).manifest.root == manifest.root


def test_an_older_release_is_refused(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "seen.json")
    for name, version in (("new", "1.1.0"), ("old", "1.0.0")):
        found = verified(release(tmp_path / name, version, "alice-1", "bob-pq"))
        (claim,) = found.claims(RELEASE)
        stated = releases.read(claim.predicate.encode()).version
        root = found.manifest.root
        if name == "new":
            memory.accept("acme/small", stated, root, TRUST, NOW)
        else:
            with pytest.raises(Untrusted, match=r"version 1\.0\.0 is older than 1\.1\.0"):
                memory.accept("acme/small", stated, root, TRUST, NOW)
