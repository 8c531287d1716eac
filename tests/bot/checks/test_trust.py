"""Trust files that follow each other, and signatures judged by the one at the base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.checks import trust
from bot.checks.trust import Settings
from security.errors import Malformed
from security.identity import Signer
from security.manifest import Entry, Manifest
from security.sign import keys
from security.sign.signing import cosign, sign_manifest
from security.trust import rotation
from security.trust.trustfile import PLACE
from tests.fakes import BASE, HEAD, FakeWorld

SIGS = trust.SIGNATURES
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
LONG = NEW + f"# {'x' * 900}\n" * 1_000  # its signatures hold it in base64, which is longer


@pytest.mark.parametrize(
    ("head", "rules"),
    [
        ({PLACE: OLD, "src/a.py": "1"}, []),
        ({PLACE: NEW, SIGS: signed(NEW, ADA, BOB)}, []),
        ({PLACE: LONG, SIGS: signed(LONG, ADA, BOB)}, []),
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
    assert found({PLACE: "broken ["}, {PLACE: OLD}) == [("unsigned", PLACE)]  # nor does it vouch


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


def parted(
    merge_base: dict[str, bytes | str], base: dict[str, bytes | str], head: dict[str, bytes | str]
) -> list[str]:
    """Judge a change that parted from an older commit than its base is now."""
    world = FakeWorld(merge_base, head)
    now = "c" * 40
    world.trees[now] = world._tree(base)
    evidence = trust.collect(replace(world.change(), base=now), world, Settings())
    return [f.rule.removeprefix("trust/") for f in trust.judge(evidence, Settings())]


def test_where_a_change_parted_from_the_base_is_not_its_author_s_gain() -> None:
    revoked = OLD.replace('owner = "p1"\n', 'owner = "p1"\nrevoked = 2026-01-01\nreason = "x"\n')
    later = revoked.replace("version = 1", "version = 2").replace("threshold = 2", "threshold = 1")
    model: dict[str, bytes | str] = {"m/model.sig": bundle(BOB)}
    assert parted({}, {PLACE: OLD}, model) == ["signer"]  # before there was a trust file
    assert parted({PLACE: OLD}, {PLACE: later}, {PLACE: OLD, "m/model.sig": bundle(ADA)}) == []
    assert parted({PLACE: OLD}, {PLACE: later}, {PLACE: OLD, **model}) == ["signer"]
    stolen: dict[str, bytes | str] = {PLACE: NEW, SIGS: signed(NEW, ADA, BOB)}
    assert parted({PLACE: OLD}, {PLACE: later}, stolen) == ["unsigned"]
    assert parted({}, {PLACE: OLD}, {PLACE: document(1, EVE, BOB)}) == ["unsigned"]
    assert parted({}, {PLACE: OLD}, {"x": "1"}) == []
    assert parted({PLACE: OLD}, {}, {PLACE: OLD, "x": "1"}) == []


@pytest.mark.parametrize("mode", ["120000", "160000", "040000"])
@pytest.mark.parametrize(
    ("base", "head", "odd", "rule"),
    [
        ({PLACE: OLD}, {PLACE: "../trust.toml"}, PLACE, "malformed"),
        ({}, {PLACE: "../trust.toml"}, PLACE, "malformed"),
        ({PLACE: OLD}, {PLACE: NEW, SIGS: signed(NEW, ADA, BOB)}, SIGS, "unsigned"),
        ({PLACE: OLD}, {PLACE: OLD, "m/model.sig": bundle(ADA, BOB)}, "m/model.sig", "signer"),
    ],
)
def test_links_and_the_like_are_no_files(
    base: dict[str, bytes | str], head: dict[str, bytes | str], odd: str, rule: str, mode: str
) -> None:
    world = FakeWorld(base, head, modes={odd: mode} if odd not in base else None)
    if odd in base:
        world.trees[HEAD][odd] = replace(world.trees[HEAD][odd], mode=mode)
    evidence = trust.collect(world.change(), world, Settings())
    assert [f.rule for f in trust.judge(evidence, Settings())] == [f"trust/{rule}"]


def test_a_link_in_place_of_the_trust_file_lets_nobody_act() -> None:
    world = FakeWorld({PLACE: "elsewhere"}, {}, modes={PLACE: "120000"})
    with pytest.raises(Malformed, match="not a regular file"):
        trust.at(world, BASE)


def test_many_signatures_cost_what_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = FakeWorld.read

    def counted(world: FakeWorld, blob: str, limit: int = 0) -> bytes:
        reads.append(blob)
        return read(world, blob, limit)

    monkeypatch.setattr(FakeWorld, "read", counted)
    monkeypatch.setattr(trust, "BUNDLES_LIMIT", 3_000)
    base: dict[str, bytes | str] = {PLACE: OLD}
    same: dict[str, bytes | str] = {f"{n}/model.sig": b"[" * 1_000 for n in range(50)}
    assert len(found(base, base | same)) == 50
    assert len(reads) == 2
    others: dict[str, bytes | str] = {f"{n}/model.sig": b"[" * 1_000 + b"%d" % n for n in range(50)}
    assert len(found(base, base | others)) == 50  # what was not looked at is no pass
    assert len(reads) <= 2 + 1 + 3


def test_a_stale_signature() -> None:
    base: dict[str, bytes | str] = {"m/model.sig": bundle(ADA), "m/sub/x.bin": "1", "n/y": "1"}
    assert found(base, base | {"m/sub/x.bin": "2", "n/y": "2"}) == [("stale", "m/model.sig")]
    assert found(base, base | {"n/y": "2"}) == []
    assert found({".git-m/model.sig": b"1"}, {".git-m/model.sig": b"1", ".git-m/x": "2"})
    assert found(base, base | {"m/model.intoto.jsonl": "2"}) == []
    assert found(base, base | {"m/sub/x.bin": "2", "m/model.sig": bundle(BOB)}) == []
