import pytest

from security.errors import Untrusted
from security.trust.access import Account, decide, holders, person
from tests.security.trust.people import NOW, key_table, read, role, text

ALICE, BOB, EVE = Account("alice-gh", 99), Account("bob", 7), Account("eve", 666)
TRUST = read(
    text(
        role("waive", '"waive"'),
        role("release", '"release", "rotate"', threshold=2),
        role("key", '"attest"', '"alice-1"'),
        role("pq", '"audit"', more='also = ["ml-dsa-65"]'),
        role("open", '"open"', artifacts='"acme/small/m.safetensors#lm_head.*"'),
    )
)


@pytest.mark.parametrize(
    ("action", "who", "artifact", "allowed", "why"),
    [
        ("waive", (ALICE,), "acme/small", True, "role waive"),
        ("waive", (Account("ALICE-GH"),), "acme/small", True, "role waive"),
        ("waive", (EVE,), "acme/small", False, "the account 'eve' is not in the trust file"),
        ("waive", (Account("carol"),), "acme/small", False, "not in the trust file"),
        ("waive", (Account(""),), "acme/small", False, "not in the trust file"),
        ("waive", (), "acme/small", False, "nobody is counted"),
        ("waive", (ALICE,), "acme/other", False, "nobody may waive"),
        ("waive", (ALICE,), "acme/small/..", False, "artifact name"),
        ("delete", (ALICE,), "acme/small", False, "no role allows 'delete'"),
        ("release", (ALICE,), "acme/small", False, "takes 2 of alice, bob"),
        ("release", (ALICE, ALICE, Account("Alice-GH")), "acme/small", False, "counted: alice"),
        ("release", (ALICE, BOB), "acme/small", True, "role release"),
        ("rotate", (ALICE, EVE), "acme/small", False, "takes 2 of"),
        ("attest", (ALICE,), "acme/small", False, "takes 1 of alice-1"),
        ("audit", (ALICE,), "acme/small", False, "signature of kind ml-dsa-65"),
        ("open", (BOB,), "acme/small/m.safetensors#lm_head.weight", True, "role open"),
        ("open", (BOB,), "acme/small/m.safetensors#layers.0", False, "nobody may open"),
        ("open", (BOB,), "acme/small/m.safetensors", False, "nobody may open"),
    ],
)
def test_decide(
    action: str, who: tuple[Account, ...], artifact: str, allowed: bool, why: str
) -> None:
    found = decide(TRUST, action, who, artifact, NOW)
    assert found.allowed is allowed and why in found.reason
    assert allowed or found.hint


def test_a_login_that_was_taken_over_is_nobody() -> None:
    assert person(TRUST, Account("bob", 8)) is None
    assert person(TRUST, Account("bob")) is None  # the file knows the number, so it is needed
    found = person(TRUST, Account("renamed", 7))
    assert found and found.name == "bob"


def test_how_many_are_missing() -> None:
    found = decide(TRUST, "release", (ALICE,), "acme/small", NOW)
    assert (found.people, found.missing) == (("alice",), 1)


def test_nothing_after_the_file_expired() -> None:
    found = decide(TRUST, "waive", (ALICE,), "acme/small", NOW.replace(year=2028))
    assert not found.allowed and "expired on 2027-06-30" in found.reason


def test_whose_keys_count() -> None:
    gone = key_table("alice-1", 'revoked = 2027-01-01\nreason = "x"') + key_table(
        "carol-1", "until = 2027-01-01"
    )
    roles = role("log", '"audit"', '"alice", "carol", "bob-pq"'), role()
    trust = read(text(*roles, keys=("alice-pq", "bob-1", "bob-pq"), more=gone))
    found = [name for name, _ in holders(trust, "audit", "acme/small", NOW)]
    assert found == ["alice-pq", "bob-pq"]
    for action, name, why in (("open", "acme/small", "no role"), ("audit", "x", "nobody may")):
        with pytest.raises(Untrusted, match=why):
            holders(trust, action, name, NOW)
