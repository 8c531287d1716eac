"""Trust files that follow each other, and signatures judged by the one at the base."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.checks import trust
from bot.checks.trust import Settings
from security.identity import Signer
from security.manifest import Entry, Manifest
from security.sign import keys
from security.sign.signing import cosign, sign_manifest
from security.trust import rotation
from tests.fakes import FakeWorld

PLACE, SIGS = trust.PLACE, trust.SIGNATURES
SOON = (datetime.now(UTC) + timedelta(days=30)).date()
ADA, BOB, EVE = (keys.load_signer(keys.generate()) for _ in range(3))


def document(version: int, *signers: Signer, expires: object = SOON) -> str:
    tables = "".join(
        f'[people.p{n}]\n[keys.k{n}]\nowner = "p{n}"\npublic = """\n{s.public.pem}"""\n'
        for n, s in enumerate(signers)
    )
    members = ", ".join(f'"p{n}"' for n in range(len(signers)))
    return (
        f'format = 1\nproject = "tiny"\nversion = {version}\nexpires = {expires}\n{tables}'
        f'[roles.all]\nactions = ["release", "rotate"]\nmembers = [{members}]\n'
        'threshold = 2\nartifacts = ["tiny"]\n'
    )


def signed(text: str, *signers: Signer) -> bytes:
    return rotation.sign(text.encode(), signers)


def bundle(*signers: Signer) -> bytes:
    entries = (Entry("model.safetensors", 1, "0" * 64),)
    return cosign(sign_manifest(Manifest(entries), "tiny", signers[:1]), signers[1:])


def found(base: dict[str, bytes | str], head: dict[str, bytes | str]) -> list[tuple[str, str]]:
    world = FakeWorld(base, head)
    evidence = trust.collect(world.change(), world, Settings())
    findings = trust.judge(evidence, Settings())
    return [(f.rule.removeprefix("trust/"), f.location.path) for f in findings if f.location]


OLD = document(1, ADA, BOB)
NEW = document(2, ADA, BOB, EVE)


@pytest.mark.parametrize(
    ("head", "rules"),
    [
        ({PLACE: OLD, "src/a.py": "1"}, []),
        ({PLACE: NEW, SIGS: signed(NEW, ADA, BOB)}, []),
        ({PLACE: NEW}, ["unsigned"]),
        ({PLACE: NEW, SIGS: signed(NEW, ADA)}, ["unsigned"]),
        ({PLACE: NEW, SIGS: signed(NEW, ADA, EVE)}, ["unsigned"]),
        ({PLACE: NEW, SIGS: signed(document(3, ADA, BOB), ADA, BOB)}, ["unsigned"]),
        ({PLACE: NEW, SIGS: b"{"}, ["unsigned"]),
        ({PLACE: document(1, ADA, EVE)}, ["unsigned"]),
        ({PLACE: OLD.replace("threshold = 2", "threshold = 1")}, ["unsigned"]),
        ({PLACE: OLD + "x = 1\n"}, ["malformed"]),
        ({PLACE: b"\xff"}, ["malformed"]),
        ({PLACE: "# " * 600_000}, ["malformed"]),
        ({"README.md": "x"}, ["removed"]),
    ],
)
def test_succession(head: dict[str, bytes | str], rules: list[str]) -> None:
    assert [rule for rule, _ in found({PLACE: OLD}, head)] == rules


def test_the_first_one_is_for_the_reviewer() -> None:
    assert found({}, {PLACE: OLD}) == [("first", PLACE)]
    assert found({PLACE: "broken ["}, {PLACE: OLD}) == [("first", PLACE)]


def test_an_expired_file_may_be_followed_but_lets_nobody_release() -> None:
    old = document(1, ADA, BOB, expires="2026-01-31")
    assert found({PLACE: old}, {PLACE: NEW, SIGS: signed(NEW, ADA, BOB)}) == []
    head: dict[str, bytes | str] = {PLACE: old, "m/model.sig": bundle(ADA, BOB)}
    assert found({PLACE: old}, head) == [("signer", "m/model.sig")]


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (bundle(ADA, BOB), []),
        (bundle(ADA), ["signer"]),
        (bundle(ADA, EVE), ["signer"]),
        (b"not JSON", ["signer"]),
    ],
)
def test_signatures_are_judged_by_the_base(data: bytes, rules: list[str]) -> None:
    base: dict[str, bytes | str] = {PLACE: OLD}
    assert [rule for rule, _ in found(base, base | {"m/model.sig": data})] == rules
    assert found({}, {"m/model.sig": data}) == []  # nobody says whom to trust
    broken: dict[str, bytes | str] = {PLACE: "broken ["}
    assert [r for r, _ in found(broken, broken | {"m/model.sig": data})] == ["signer"]


def test_a_stale_signature() -> None:
    base: dict[str, bytes | str] = {"m/model.sig": bundle(ADA), "m/sub/x.bin": "1", "n/y": "1"}
    assert found(base, base | {"m/sub/x.bin": "2", "n/y": "2"}) == [("stale", "m/model.sig")]
    assert found(base, base | {"n/y": "2"}) == []
    assert found(base, base | {"m/model.intoto.jsonl": "2"}) == []
    assert found(base, base | {"m/sub/x.bin": "2", "m/model.sig": bundle(BOB)}) == []
